"""Write every reference page anew, and say which ones changed."""

from __future__ import annotations

from docs.generate.pages import REFERENCE, WRITERS, pages


def main() -> None:
    REFERENCE.mkdir(exist_ok=True)
    for name in WRITERS:
        page, text = REFERENCE / name, pages(name)[name]
        if not page.exists() or page.read_text("utf-8") != text:
            page.write_text(text, "utf-8")
            print(f"docs/reference/{name} written")


main()
