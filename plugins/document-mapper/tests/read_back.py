"""Reads what `document-mapper` wrote with Python's own `csv` and `xml.etree`, and compares it with what went in.

Standard input has a case a line: `{"format", "delimiter", "document", "headings", "attributes", "rows"}`, where a row is
texts, or null for what is not there.
"""

import csv
import io
import json
import sys
import xml.etree.ElementTree as ElementTree

NAMESPACE = "urn:example:rows"


def read_csv(case):
    text = case["document"].removeprefix("\ufeff")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=case["delimiter"], strict=True))
    expected = [case["headings"], *([cell or "" for cell in row] for row in case["rows"])]
    return rows, expected


def read_xml(case):
    # As bytes, so that the declaration counts.
    root = ElementTree.fromstring(case["document"].encode())
    found = []
    for row in root:
        cells = dict(row.attrib)
        for element in row:
            cells[element.tag.removeprefix(f"{{{NAMESPACE}}}")] = element.text or ""
        found.append([cells.get(heading) for heading in case["headings"]])
        for heading in case["attributes"]:
            assert heading in row.attrib or heading not in cells
    assert root.tag == f"{{{NAMESPACE}}}rows" and all(row.tag == f"{{{NAMESPACE}}}row" for row in root)
    return found, case["rows"]


cases = 0
for line in sys.stdin:
    case = json.loads(line)
    found, expected = (read_csv if case["format"] == "csv" else read_xml)(case)
    if found != expected:
        sys.exit(f"{json.dumps(case)}\nreads as\n{json.dumps(found)}")
    cases += 1
print(f"{cases} documents read back")
