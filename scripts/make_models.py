"""Make the sample models and the events again from the data: `make samples`."""

from __future__ import annotations

from scripts import make_credit, make_events, make_hello, make_real_estate, make_sonar
from scripts.sample import MODELS, text

MAKERS = (make_hello, make_sonar, make_credit, make_real_estate)


def files() -> dict[str, str]:
    """File name -> text of each sample model."""
    documents = [maker.document() for maker in MAKERS]
    return {f"{document['name']}.pfa": text(document) for document in documents}


def main() -> None:
    """Write models/ and events/."""
    for name, content in files().items():
        (MODELS / name).write_text(content, encoding="utf-8")
        print(f"models/{name}: {len(content.encode()):,} bytes")
    make_events.main()


if __name__ == "__main__":
    main()
