"""`python -m core.data FILE …`: what a file of images is understood as, without a browser."""

import sys

from core.data.reading.read import examine


def main(paths: list[str]) -> int:
    """Print the findings; 1 with one sentence if there is no set of images in the files."""
    if not paths:
        print("Give a file: python -m core.data FILE …", file=sys.stderr)
        return 2
    try:
        examined = examine(paths)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    spec = examined.dataset.spec
    print(f"{spec.name}: {spec.side} × {spec.side} × {spec.channels}, {len(spec.classes)} classes")
    for finding in examined.findings:
        print(f"{'?' if finding.doubt else ' '} {finding.topic:12} {finding.sentence}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
