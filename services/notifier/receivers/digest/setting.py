"""Set a PDF in a process of its own; run as a program by `page`.

typst keeps what it has set for the next time, some 20 MB a page: it would stay in a service that
needs it once a month. A question in JSON comes by the input: `template` (a path), `sheet` (for the
template), `timestamp` (seconds since 1970); the file goes to the output.
"""

import json
import sys

import typst


def main() -> None:
    """Answer one question."""
    asked = json.loads(sys.stdin.buffer.read())
    made = typst.compile(
        asked["template"],
        font_paths=typst.Fonts(include_system_fonts=False),
        sys_inputs={"sheet": json.dumps(asked["sheet"], ensure_ascii=False)},
        pdf_standards=["a-2a"],
        timestamp=asked["timestamp"],
    )
    assert isinstance(made, bytes)  # noqa: S101 - one file, and nowhere to write it
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
