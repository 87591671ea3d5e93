"""Names of people in many languages and scripts, and how each is written in ASCII for sign-ins.

Lists only: who gets which is said in `people`.

A word is `native` or `native=ascii`; where no ASCII form is given it is the native one without its marks.
`_` is a space inside a name.
"""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

Name = tuple[str, str]
"""As written, and in lower-case ASCII letters."""

LETTERS_WITHOUT_MARKS = str.maketrans({
    "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ı": "i", "ß": "ss", "æ": "ae", "Æ": "Ae", "þ": "th", "Þ": "Th",
    "ð": "d", "Ð": "D", "œ": "oe", "Œ": "Oe",
})  # fmt: skip


@dataclass(frozen=True)
class Language:
    """A language spoken at home: its code, how many of a hundred households speak it, and its names."""

    code: str
    share: int
    female_words: str
    male_words: str
    family_words: str

    @cached_property
    def female(self) -> tuple[Name, ...]:
        return names(self.female_words)

    @cached_property
    def male(self) -> tuple[Name, ...]:
        return names(self.male_words)

    @cached_property
    def family(self) -> tuple[Name, ...]:
        return names(self.family_words)


def names(words: str) -> tuple[Name, ...]:
    return tuple(name(word) for word in words.split())


def name(word: str) -> Name:
    native, _, ascii_form = word.replace("_", " ").partition("=")
    return native, ascii_form or plain(native)


def plain(native: str) -> str:
    """`native` in lower-case ASCII letters; empty where it has none."""
    decomposed = unicodedata.normalize("NFD", native.translate(LETTERS_WITHOUT_MARKS))
    return "".join(letter for letter in decomposed if letter.isascii() and letter.isalpha()).lower()


LANGUAGES = (
    Language(
        "en", 46,
        "Olivia Emma Charlotte Amelia Sophia Mia Isabella Ava Evelyn Luna Harper Sofia Camila Eleanor "
        "Elizabeth Violet Scarlett Emily Hazel Lily Gianna Aurora Penelope Aria Nora Chloe Ellie Mila Avery "
        "Layla Abigail Ella Isla Eliana Nova Madison Zoe Ivy Grace Lucy Anna-Lee Mary_Jane Aaliyah Jada Imani"
        " Nevaeh Kennedy Savannah Josephine D'Asia Jo",
        "Liam Noah Oliver James Elijah Mateo Theodore Henry Lucas William Benjamin Levi Sebastian Jack Ezra "
        "Michael Daniel Leo Owen Samuel Hudson Alexander Asher Luca Ethan John David Jackson Joseph Mason "
        "Luke Matthew Julian Dylan Elias Jacob Maverick Gabriel Logan Aiden Thomas Isaac Malik DeShawn Tyrone"
        " Darius Marquis J.R. De'Andre Billy-Ray Al",
        "Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Moore Jackson Martin Lee "
        "Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams "
        "Nelson Baker Hall Campbell Mitchell Carter Roberts Turner Phillips Parker Evans Edwards Collins "
        "Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson Bailey Reed Kelly Howard Kim Cox Ward "
        "Richardson Watson Brooks Wood James Bennett Gray Hughes Price Myers Long Foster Sanders Ross Powell "
        "Sullivan Russell Jenkins Perry Butler Barnes Fisher Henderson Coleman Simmons Patterson Jordan "
        "Reynolds Hamilton Graham Washington Jefferson Banks Booker O'Brien O'Connor D'Angelo McDonald "
        "MacLeod St._John Smith-Jones Parker-Bowles Featherstonehaugh-Cholmondeley Fo",
    ),
    Language(
        "es", 20,
        "Sofía Valentina Camila Lucía Martina María_José Ximena Regina Renata Victoria Isabel Gabriela "
        "Daniela Fernanda Paula Ángela Inés Guadalupe Concepción Begoña Ana Noemí Luz",
        "Santiago Mateo Sebastián Leonardo Matías Emiliano Diego Daniel Alejandro Ángel José Joaquín Andrés "
        "Tomás Martín Iñaki Luis_Ángel Juan_Pablo Óscar Raúl Jesús Germán",
        "García Hernández Martínez López González Rodríguez Pérez Sánchez Ramírez Cruz Flores Gómez Morales "
        "Vázquez Jiménez Reyes Díaz Torres Gutiérrez Ruiz Mendoza Aguilar Ortiz Castillo Moreno Muñoz Núñez "
        "Peña Ibáñez Zúñiga García_Márquez de_la_Cruz de_la_Peña_y_Ruiz Fernández-Ochoa",
    ),
    Language(
        "vi", 4,
        "Thị_Minh Ngọc_Anh Bảo_Ngọc Thùy_Linh Phương Hương Lan Mai_Anh Quỳnh Tuyết",
        "Minh Đức Hoàng Quang_Huy Tuấn Bảo Khôi Nam Thành Phúc",
        "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý",
    ),
    Language(
        "zh", 4,
        "芳=fang 娜=na 敏=min 静=jing 丽=li 欣怡=xinyi 雨桐=yutong 诗涵=shihan 子涵=zihan 梓萱=zixuan",
        "伟=wei 强=qiang 磊=lei 洋=yang 勇=yong 浩然=haoran 宇轩=yuxuan 子豪=zihao 俊杰=junjie 一诺=yinuo",
        "王=wang 李=li 张=zhang 刘=liu 陈=chen 杨=yang 黄=huang 赵=zhao 吴=wu 周=zhou 徐=xu 孙=sun 马=ma 朱=zhu 欧阳=ouyang 司马=sima",
    ),
    Language(
        "ko", 2,
        "서연=seoyeon 서윤=seoyun 지우=jiwoo 하윤=hayun 민서=minseo 수아=sua 지민=jimin 예은=yeeun",
        "민준=minjun 서준=seojun 도윤=doyun 예준=yejun 시우=siwoo 하준=hajun 지호=jiho 현우=hyeonwoo",
        "김=kim 이=lee 박=park 최=choi 정=jung 강=kang 조=cho 윤=yoon 장=jang 임=lim 남궁=namgung 황보=hwangbo",
    ),
    Language(
        "ja", 1,
        "さくら=sakura 陽菜=hina 結衣=yui 葵=aoi 凛=rin 美咲=misaki ユイ=yui",
        "蓮=ren 大翔=hiroto 陽翔=haruto 湊=minato 健=ken 樹=itsuki ケンジ=kenji",
        "佐藤=sato 鈴木=suzuki 高橋=takahashi 田中=tanaka 伊藤=ito 渡辺=watanabe 山本=yamamoto 中村=nakamura 小林=kobayashi "
        "勅使河原=teshigawara",
    ),
    Language(
        "ar", 4,
        "فاطمة=fatima مريم=maryam نور=noor ليلى=layla سارة=sara عائشة=aisha زينب=zaynab هدى=huda آية=aya",
        "محمد=muhammad أحمد=ahmad علي=ali عمر=umar يوسف=yusuf حسن=hasan سامي=sami خالد=khalid إبراهيم=ibrahim",
        "حداد=haddad خوري=khoury المصري=almasri النجار=alnajjar منصور=mansour سليمان=suleiman "
        "عبد_الله=abdallah بن_سعيد=binsaid الحسيني=alhusayni الشامي=alshami",
    ),
    Language(
        "ru", 3,
        "Анна=anna Мария=maria Екатерина=ekaterina Ольга=olga Наталья=natalia Татьяна=tatiana Дарья=daria Юлия=yulia Ксения=ksenia",
        "Александр=aleksandr Дмитрий=dmitri Иван=ivan Максим=maksim Артём=artyom Никита=nikita Фёдор=fyodor Илья=ilya Лев=lev",
        "Иванов=ivanov Смирнов=smirnov Кузнецов=kuznetsov Попов=popov Соколов=sokolov Лебедев=lebedev "
        "Козлов=kozlov Шевченко=shevchenko Бондаренко=bondarenko Римский-Корсаков=rimskykorsakov "
        "Щербаков=shcherbakov",
    ),
    Language(
        "el", 1,
        "Μαρία=maria Ελένη=eleni Αικατερίνη=aikaterini Σοφία=sofia Χρυσούλα=chrysoula Ζωή=zoi",
        "Γεώργιος=georgios Ιωάννης=ioannis Νικόλαος=nikolaos Δημήτριος=dimitrios Παναγιώτης=panagiotis Άγγελος=angelos",
        "Παπαδόπουλος=papadopoulos Βλάχος=vlachos Αγγελόπουλος=angelopoulos Οικονόμου=oikonomou "
        "Γεωργίου=georgiou Παπαχριστοδούλου=papachristodoulou",
    ),
    Language(
        "pl", 2,
        "Zofia Małgorzata Łucja Żaneta Świętosława Bożena Agnieszka Ewa",
        "Łukasz Paweł Stanisław Wojciech Grzegorz Michał Zdzisław Jan",
        "Kowalska Wiśniewski Wójcik Kamiński Żółkiewski Dąbrowski Szczęsny Jabłoński Błaszczykowski Ćwik",
    ),
    Language(
        "fr", 2,
        "Chloé Zoé Anaïs Aurélie Héloïse Maëlys Françoise Noémie",
        "Jean-Luc François Théo Loïc Noël Jérôme Étienne Benoît",
        "Lefèvre Fournier-Lévesque d'Aubigné L'Écuyer Beauséjour Côté Tremblay Jean-Baptiste de_La_Rochefoucauld Noël Bélanger",
    ),
    Language(
        "pt", 2,
        "Inês Beatriz Conceição Antônia Letícia Thaís Júlia",
        "João Caetano Luís Antônio Estêvão Vinícius Sérgio",
        "da_Silva dos_Santos Conceição Gonçalves Araújo Magalhães Assunção e_Souza",
    ),
    Language(
        "sv", 1,
        "Åsa Ingrid Märta Saga Freja Björk Guðrún Þórdís",
        "Anders Åke Björn Göran Søren Håkon Þór Ægir",
        "Lindqvist Bergström Åkesson Sjöberg Ørsted Jónsdóttir Guðmundsson Bjørnstjerne Öberg Å",
    ),
    Language(
        "tr", 2,
        "Ayşe Çiğdem Gülşen Şule Özlem İrem Zeynep",
        "Mehmet Çağlar Oğuz Işık Uğur Ömer İsmail",
        "Yılmaz Öztürk Çelik Şahin Kılıç Güneş Doğan Yıldırım Aydın Üçüncü",
    ),
    Language(
        "hi", 3,
        "प्रिया=priya आन्या=aanya दीपा=deepa Ananya Lakshmi Kavya",
        "अर्जुन=arjun रोहन=rohan विवेक=vivek Arjun Venkatesh Krishnamurthy",
        "शर्मा=sharma पटेल=patel गुप्ता=gupta Ramanathan Subramanian Venkataraghavan Singh Rao D'Souza",
    ),
    Language(
        "haw", 1,
        "Kailani Leilani Haʻaheo Nāmaka Winona",
        "Kaʻimi Kekoa Kainoa Māui Keaweʻaimoku",
        "Kahananui Keihanaikukauakahihulihe'ekahaunaele Nākoa Begay Kamakawiwoʻole",
    ),
    Language(
        "yo", 2,
        "Adébáyọ̀=adebayo Ọlá=ola Ifeoma Ngozi Chiamaka Folasadé",
        "Olúwaṣeun=oluwaseun Túndé=tunde Emeka Chukwuemeka Kwame Thabo",
        "Okonkwo Okafor Adébísí Ọbasanjọ́=obasanjo Eze Nkrumah Mokoena Ng'ang'a !Xóõ=xoo",
    ),
)  # fmt: skip
