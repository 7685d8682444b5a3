#!/usr/bin/env python3
"""Checks what is deployed against the code. Needs PyYAML.

    python3 -m venv /tmp/deploy && /tmp/deploy/bin/pip install PyYAML
    /tmp/deploy/bin/python deploy/check_deploy.py

- Every YAML file of deploy/ and docs/examples/ is YAML in which no key stands twice.
- Every metric `flywheel_…` named in deploy/ and docs/ is registered in one of the files of METRIC_SOURCES; the suffixes
  `_bucket`, `_sum` and `_count` only of a histogram. Every metric that is registered is in the operators' guide.
- In alert rules a metric carries no label that the code does not give it, and a label `code`, `role` or `stage` no value
  that the code does not know.
- Every alert has an expression, a severity, a summary and a remedy, and a name of its own.
- Every image has a tag other than `latest`, Flywheel's own that of the build (`Build.version`), and every role after `--roles=` is one of the code's.
- Every probe of a Kubernetes manifest asks the port named `health`, which is that of `--health-port`, and which no network
  policy opens to other pods; the port named `console` is that of `--port`.

Exits with 1 if anything is wrong, naming file and reason.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
METRIC = re.compile(r"\bflywheel_[a-z0-9_]*[a-z0-9]\b")
SUFFIX = re.compile(r"_(bucket|sum|count)$")
METRIC_SOURCES = (
    "Sources/Worker/EngineMetrics.swift",
    "Sources/Console/Console.swift",
    "Sources/FlywheelCLI/Commands/RunCommand.swift",
)
SEVERITIES = {"critical", "warning", "info"}
# What Prometheus itself adds to every series.
SCRAPE_LABELS = {"instance", "job"}


class StrictLoader(yaml.SafeLoader):
    """A loader that refuses a key that stands twice."""

    def construct_mapping(self, node, deep=False):
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"key {key} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def text(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def metrics(complaints: list[str]) -> dict[str, tuple[str, set[str]]]:
    """Name to kind and labels, as the code registers them."""
    source = "".join(text(path) for path in METRIC_SOURCES)
    calls = list(re.finditer(r"\b(?:registry\.)?(counter|gauge|histogram)\(\s*\"(flywheel_[a-z0-9_]+)\"", source))
    found: dict[str, tuple[str, set[str]]] = {}
    declared = r"\bMetric\(\s*\.(counter|gauge|histogram),\s*\"(flywheel_[a-z0-9_]+)\",\s*\[([^\]]*)\]"
    for kind, name, labels in re.findall(declared, source):
        found[name] = (kind, set(re.findall(r"\"([a-z_]+)\"", labels)))
    for call in calls:
        rest = source[call.end() : call.end() + 400]
        labels: set[str] = set()
        if match := re.match(r"[^)]*?labels:\s*(labels\b|\{?\s*\[[^\]]*\])", rest):
            given = match.group(1)
            if given == "labels":
                given = re.findall(r"let labels = (\[[^\n]*\])", source[: call.start()])[-1]
            labels = set(re.findall(r"\"([a-z_]+)\":", given))
        found[call.group(2)] = (call.group(1), labels)
    if not found:
        complaints.append("EngineMetrics.swift: found no metric; has its form changed?")
    return found


def raw_values(path: str, head: str) -> set[str]:
    """The raw values of an enum of strings."""
    source = text(path)
    body = source[source.index(head) :]
    body = body[: re.search(r"\n\s*(?:///.*\n\s*)*(?:public |internal )?(?:var|let|init|func)\b", body).start()]
    values = set()
    for cases in re.findall(r"^\s*case (.+)$", body, re.M):
        for part in cases.split(","):
            name, _, raw = part.partition("=")
            values.add(raw.strip().strip('"') or name.strip())
    return values


def check_yaml(complaints: list[str]) -> dict[Path, list]:
    documents = {}
    paths = [path for folder in ("deploy", "docs/examples") for path in sorted((ROOT / folder).rglob("*.y*ml"))]
    for path in paths:
        try:
            documents[path] = list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=StrictLoader))
        except yaml.YAMLError as error:
            complaints.append(f"{path.relative_to(ROOT)}: {error}")
    print(f"yaml: {len(paths)} files")
    return documents


def check_metrics(known, complaints: list[str]):
    files = [path for folder in ("deploy", "docs") for path in sorted((ROOT / folder).rglob("*"))]
    count = 0
    for path in files + [ROOT / "README.md"]:
        if not path.is_file() or path.suffix in (".py", ".pyc", ".svg", ".png"):
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for name in METRIC.findall(line):
                count += 1
                base = SUFFIX.sub("", name)
                if name in known or (base in known and known[base][0] == "histogram"):
                    continue
                complaints.append(f"{path.relative_to(ROOT)}:{number}: metric {name} is not in the code")
    named = set(METRIC.findall(text("docs/guides/operator.md")))
    for name in sorted(set(known) - named):
        complaints.append(f"docs/guides/operator.md: metric {name} is missing")
    print(f"metrics: {len(known)} in the code, named {count} times")


def check_expression(place: str, expression: str, known, values, complaints: list[str]):
    """The labels that an expression asks for."""
    names = {SUFFIX.sub("", name) if name not in known else name for name in METRIC.findall(expression)}
    offered = SCRAPE_LABELS | {"le"}
    for name in names & known.keys():
        offered |= known[name][1]
    for group in re.findall(r"\b(?:by|without|on|ignoring)\s*\(([^)]*)\)", expression):
        for label in filter(None, (part.strip() for part in group.split(","))):
            if label not in offered:
                complaints.append(f"{place}: label {label} is on none of its metrics")
    for name, selector in re.findall(r"(flywheel_[a-z0-9_]+)\{([^}]*)\}", expression):
        for label, _, value in re.findall(r"([a-z_]+)\s*(=~|!~|!=|=)\s*\"([^\"]*)\"", selector):
            base = name if name in known else SUFFIX.sub("", name)
            if base in known and label not in known[base][1] | SCRAPE_LABELS:
                complaints.append(f"{place}: {name} has no label {label}")
            for one in value.split("|"):
                if label in values and one not in values[label]:
                    complaints.append(f"{place}: {label} {one} is not in the code")


def check_alerts(documents, known, values, complaints: list[str]):
    seen: set[str] = set()
    for path, loaded in documents.items():
        for document in loaded:
            if not isinstance(document, dict) or "groups" not in document:
                continue
            for rule in (rule for group in document["groups"] for rule in group["rules"]):
                name = rule.get("alert", "?")
                place = f"{path.relative_to(ROOT)}: {name}"
                if name in seen:
                    complaints.append(f"{place}: stands twice")
                seen.add(name)
                if not rule.get("expr"):
                    complaints.append(f"{place}: no expression")
                    continue
                if rule.get("labels", {}).get("severity") not in SEVERITIES:
                    complaints.append(f"{place}: severity is not one of {', '.join(sorted(SEVERITIES))}")
                for key in ("summary", "remedy"):
                    if not rule.get("annotations", {}).get(key):
                        complaints.append(f"{place}: no {key}")
                for opening, closing in ("()", "{}", "[]"):
                    if rule["expr"].count(opening) != rule["expr"].count(closing):
                        complaints.append(f"{place}: {opening} and {closing} are not balanced")
                check_expression(place, rule["expr"], known, values, complaints)
    print(f"alerts: {len(seen)}")


def check_images(roles: set[str], complaints: list[str]):
    images = 0
    version = re.search(r'static let version = "([\d.]+)"', text("Sources/EngineCore/EngineError.swift")).group(1)
    for path in sorted((ROOT / "deploy").rglob("*")):
        if not path.is_file() or (path.suffix not in (".yaml", ".yml") and path.name != "Dockerfile"):
            continue
        name = path.relative_to(ROOT)
        source = path.read_text(encoding="utf-8")
        for own in re.findall(r"\bflywheel:(\d[\w.-]*)", source):
            if own != version:
                complaints.append(f"{name}: names the image flywheel:{own}, the build is {version}")
        for image in re.findall(r"^\s*(?:image:|FROM)\s+(\S+)", source, re.M):
            images += 1
            tag = image.rpartition("/")[2].partition(":")[2]
            if not tag or tag == "latest":
                complaints.append(f"{name}: image {image} has no fixed tag")
        for given in re.findall(r"--roles[= ]([a-z,]+)", source):
            for role in sorted(set(given.split(",")) - roles):
                complaints.append(f"{name}: role {role} is not in the code")
    print(f"images: {images}")


def check_ports(documents, complaints: list[str]):
    """That probes have a port of their own."""
    probes = 0
    for path, loaded in documents.items():
        for document in loaded:
            if not isinstance(document, dict) or "kind" not in document:
                continue
            place = f"{path.relative_to(ROOT)}: {document['kind']} {document['metadata']['name']}"
            if document["kind"] == "NetworkPolicy":
                opened = [port.get("port") for rule in document["spec"].get("ingress", []) for port in rule.get("ports", [])]
                if opened != ["console"]:
                    complaints.append(f"{place}: opens {opened}, not the console alone")
            for container in document["spec"].get("template", {}).get("spec", {}).get("containers", []):
                given = dict(one[2:].split("=", 1) for one in container.get("args", []) if one.startswith("--") and "=" in one)
                ports = {port["name"]: str(port["containerPort"]) for port in container.get("ports", [])}
                for option, name in (("port", "console"), ("health-port", "health")):
                    if given.get(option) != ports.get(name):
                        complaints.append(f"{place}: --{option} is {given.get(option)}, the port {name} {ports.get(name)}")
                for kind in ("readinessProbe", "livenessProbe", "startupProbe"):
                    if kind in container:
                        probes += 1
                        if container[kind].get("httpGet", {}).get("port") != "health":
                            complaints.append(f"{place}: {kind} does not ask the port named health")
    print(f"probes: {probes}")


def main() -> int:
    complaints: list[str] = []
    known = metrics(complaints)
    roles = raw_values("Sources/EngineCore/Role.swift", "enum Role")
    values = {
        "role": roles,
        "stage": raw_values("Sources/Flywheel/ProjectState.swift", "enum CyclePhase") | {"intake"},
        "code": raw_values("Sources/Vocabulary/Notices.swift", "enum Code")
        | raw_values("Sources/Events/Inputs/RecordRejection.swift", "enum Code"),
    }
    documents = check_yaml(complaints)
    check_metrics(known, complaints)
    check_alerts(documents, known, values, complaints)
    check_ports(documents, complaints)
    check_images(roles, complaints)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print(f"deploy: {len(complaints)} complaints")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
