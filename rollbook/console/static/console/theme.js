// Light or dark before the first paint: the reader's choice in this browser, else the system's. Without scripts the style sheet asks the system.
(() => {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => {
    try {
      return localStorage.getItem("rollbook-theme") || "auto";
    } catch {
      return "auto";
    }
  };
  const apply = () => {
    const theme = chosen();
    document.documentElement.dataset.bsTheme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  };
  document.documentElement.classList.add("has-js");
  dark.addEventListener("change", apply);
  window.rollbookTheme = {
    chosen,
    choose(theme) {
      try {
        localStorage.setItem("rollbook-theme", theme);
      } catch {
        document.documentElement.dataset.bsTheme = theme;
        return;
      }
      apply();
    },
  };
  apply();
})();
