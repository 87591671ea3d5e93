"""What the storeys below put together, in the reader's language; what is nobody's sentence stays as it is."""

import json

import pytest
from django.utils import translation

from rollbook.connectors.contract import CannotFetch
from rollbook.console.saying import PATTERNS, WORDS, said
from rollbook.engine.safeguards import Hazard
from rollbook.sftp.inbox import OTHERS_WAIT
from tests.house import figured
from tests.house.messages import FIGURED, figured_patterns


@pytest.fixture(autouse=True)
def in_spanish():
    with translation.override("es"):
        yield


def test_a_reason_to_wait_is_said_with_its_figures_as_the_reader_writes_them():
    hazard = Hazard("delete-percent", "enrollments", 12_345, 20_000, 10)
    assert hazard.words == "12,345 of 20,000 enrollments would be removed: the limit is 10 %."
    assert (
        said(hazard.words)
        == "Se quitarían 12\N{NO-BREAK SPACE}345 de 20\N{NO-BREAK SPACE}000 registros de matrículas: el límite es 10 %."
    )


def test_sentences_behind_one_another_are_said_each_by_itself():
    both = "There is nothing at /srv/drop. This took too long."
    assert said(both) == "No hay nada en /srv/drop. Tardó demasiado."
    assert said("There is nothing at /srv/drop. Nobody's sentence. This took too long.") == (
        "No hay nada en /srv/drop. Nobody's sentence. Tardó demasiado."
    )


def test_names_in_a_sentence_stay_even_where_they_are_words_of_ours():
    assert said("There is no folder Settings on Roster. Ask its people to make it.") == (
        "No hay ninguna carpeta Settings en Roster. Pida a sus responsables que la creen."
    )


def test_a_refusal_of_another_system_is_said_where_it_is_shown():
    refusal = CannotFetch("There is no CSV file in /srv/drop.")
    assert refusal.words == "No hay ningún archivo CSV en /srv/drop."
    with translation.override("en"):
        assert refusal.words == "There is no CSV file in /srv/drop."


def test_what_no_pattern_fits_stays():
    assert said("The office said so") == "The office said so"
    assert said("") == ""
    assert said(None) == ""


def test_the_patterns_are_those_that_stand_in_the_modules_now():
    assert FIGURED.read_text(encoding="utf-8") == figured_patterns(), "script/messages gathers them anew"
    assert (set(PATTERNS), WORDS) == (figured.patterns(), figured.words())
    assert json.loads(FIGURED.read_text(encoding="utf-8"))["patterns"] == sorted(PATTERNS)


def test_an_empty_folder_of_an_organization_is_told_of_in_the_readers_language():
    assert said("There is no CSV file and no zip in /srv/rosters/7 yet. Put them there, and test again.") == (
        "Todavía no hay ningún archivo CSV ni ningún zip en /srv/rosters/7. Póngalos allí y vuelva a probar."
    )


@pytest.mark.parametrize(
    ("words", "to_them"),
    [
        (
            f"The upload of users.csv broke off after 12,345 bytes. Nothing of it was imported. {OTHERS_WAIT}",
            "La subida de users.csv se interrumpió después de 12\N{NO-BREAK SPACE}345 bytes. No se importó nada de ella. "
            "Los archivos CSV que se envían uno a uno esperan hasta que haya llegado entero o se elimine.",
        ),
        (
            "What came is not a zip. A package is a zip of CSV files, or a folder that holds them.",
            "Lo que llegó no es un zip. Un paquete es un zip de archivos CSV, o una carpeta que los contiene.",
        ),
        ("Cancelled by ana. Nothing of it was applied.", "Cancelada por ana. No se aplicó nada de ella."),
        ("Nothing changed.", "Nada cambió."),
        ("Not applied.", "No aplicado."),
    ],
)
def test_why_a_run_ended_is_said_in_whole(words: str, to_them: str):
    assert said(words) == to_them
