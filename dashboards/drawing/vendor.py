"""Takes the page's JavaScript from installed npm packages and writes vendor.lock: what, which version,
which hash.

npm install --prefix build/vendor vega@6.4.0 vega-interpreter@2.3.2
python -m dashboards.drawing.vendor build/vendor/node_modules
"""

import hashlib
import json
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE / "vendor.lock"


def classic(module: str) -> str:
    """An ES module that imports from vega-util only, as a classic script over the global `vega`.

    Only a script can be allowed by its hash in a file that is opened from disk.
    """
    body = re.sub(r"import \{(.*?)\} from 'vega-util';", r"const {\1} = vega;", module)
    body, count = re.subn(r"export \{(.*?)\};", r"window.vegaInterpreter = {\1};", body)
    if count != 1:
        raise ValueError("vega-interpreter has another form than expected; look at its exports.")
    body = re.sub(r"\b(\w+) as (\w+)\b", r"\2: \1", body)
    return (
        "(() => {\n" + body.replace("//# sourceMappingURL=vega-interpreter.js.map", "").rstrip() + "\n})();\n"
    )


def main(modules: Path) -> None:
    """Copy the files and write the lock."""
    taken = (
        (
            "vega",
            "build/vega.min.js",
            "vega.min.js",
            lambda text: text.replace("//# sourceMappingURL=vega.min.js.map", ""),
        ),
        ("vega-interpreter", "build/vega-interpreter.js", "vega-interpreter.js", classic),
    )
    lines = ["# name version licence source sha256-of-source file sha256-of-file"]
    for package, source, target, change in taken:
        about = json.loads((modules / package / "package.json").read_text(encoding="utf-8"))
        before = (modules / package / source).read_text(encoding="utf-8")
        after = change(before)
        (HERE / "static" / target).write_text(after, encoding="utf-8")
        lines.append(
            " ".join(
                (package, about["version"], about["license"], source, digest(before), target, digest(after))
            )
        )
    LOCK.write_text("\n".join(lines) + "\n", encoding="utf-8")


def digest(text: str) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
