"""The web pages of a run: well formed, linked, complete, without scripts, and small."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from conformance import pages, report
from conformance.compare import Change
from conformance.model import Case, Outcome, Result
from conformance.recorded import Recorded
from conformance.report import Line, Report
from conformance.target import Target
from tests.conformance.madeup import MadeUp, declare

VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Checks nesting; collects ids, links and text."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(file.read_text(encoding="utf-8"))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        given = dict(attrs)
        assert not any(name.startswith("on") for name in given)
        self.ids += [one for one in [given.get("id")] if one]
        self.links += [one for one in [given.get("href")] if one]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def holds(ws: Target) -> None:
    """It holds & is < 3 & ends."""


def made(outcome: Outcome, **fields: object) -> Result:
    return Result(outcome=outcome, **fields)  # type: ignore[arg-type]


PASSED = made(Outcome.PASS, steps=tuple(f"step number {n}" for n in range(30)), seconds=0.25)
FAILED = made(
    Outcome.FAIL,
    reason="bytes: <script>alert(1)</script> \x00\ud800",
    expected="b'five'",
    actual="b'four'",
    steps=tuple(f"step number {n}" for n in range(30)),
)


def target(name: str) -> Target:
    one = MadeUp()
    one.name = name
    return one


def sample(lines: Sequence[Line], records: Sequence[Recorded] = (), changes: Sequence[Change] = ()) -> Report:
    names = dict.fromkeys(name for line in lines for name in line.results)
    return Report([target(name) for name in names], lines, records=records, changes=changes)


@functools.cache
def whole() -> Report:
    wine = Recorded(
        name="wine-8.0",
        target="wine",
        description="Wine's ws2_32",
        date="2026-11-25",
        versions={},
        answers={"one.fails": made(Outcome.PASS), "one.passes": made(Outcome.PASS)},
    )
    lines = [
        Line(
            declare(
                holds,
                "one.passes",
                requirements=["R7.3"],
                behaviours=["startup-2x"],
                source="winsock2/nf-winsock2-recv, error WSAEINTR; winsock/af-irda-2; kernel32/thread.c",
            ),
            {"emulator": PASSED, "api": PASSED},
        ),
        Line(declare(holds, "one.fails", requirements=["R7.4"]), {"emulator": FAILED, "api": PASSED}),
        Line(
            declare(holds, "two.gap", chapter="Made-up"),  # the same file name as the chapter before
            {
                "emulator": made(Outcome.GAP, reason="not written"),
                "api": made(Outcome.PASS, runs=(Outcome.PASS, Outcome.NOT_APPLICABLE)),
            },
        ),
    ]
    changes = [Change("one.fails", "emulator", Outcome.PASS, Outcome.FAIL)]
    return sample(lines, [wine], changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "deep" / "report"
    pages.write(whole(), folder)
    return folder


def test_every_page_is_well_formed_has_no_scripts_and_links_only_to_what_is_there(folder: Path) -> None:
    files = {file: Page(file) for file in folder.rglob("*.html")}
    assert len(files) == 2 + 2 + 1  # index and requirements, chapters, a module of cases
    for file, page in files.items():
        assert len(page.ids) == len(set(page.ids)), file
        assert not page.tags & {"script", "iframe", "img"}
        for link in page.links:
            if link.startswith("https:"):
                assert link.startswith("https://learn.microsoft.com/")
                continue
            name, _, anchor = link.partition("#")
            aim = (file.parent / name).resolve() if name else file
            assert aim.exists(), link
            if anchor:
                assert anchor in files[aim].ids, link


def test_the_matrix_has_a_row_per_case_and_a_column_per_target_and_record(folder: Path) -> None:
    index = (folder / "index.html").read_text(encoding="utf-8")
    (row,) = re.findall(r"<tr[^>]*><th><a [^>]*>one\.fails</a></th>(.*?)</tr>", index)
    assert re.findall(r"<td[^>]*>(.*?)</td>", row) == ["fail", "pass", "pass"]
    (row,) = re.findall(r"<tr[^>]*><th><a [^>]*>two\.gap</a></th>(.*?)</tr>", index)
    assert re.findall(r"<td[^>]*>(.*?)</td>", row) == ["gap", "pass ↯", ""]
    assert "<th>emulator</th><th>api</th><th>wine-8.0</th>" in index


def test_the_index_begins_with_what_wants_attention(folder: Path) -> None:
    words = Page(folder / "index.html").words
    assert "Failures (1)" in words
    assert "broken one.fails on emulator: pass -> fail" in words
    assert "Against wine-8.0: unexplained (1)" in words
    assert "Different from one time to the next (1)" in words
    assert words.index("Failures (1)") < words.index("All cases")


def test_a_case_tells_all_that_is_known_of_it(folder: Path) -> None:
    page = (folder / "chapters" / "made-up.html").read_text(encoding="utf-8")
    passes, fails = re.findall(r"<article .*?</article>", page, re.DOTALL)
    assert "It holds &amp; is &lt; 3 &amp; ends." in passes
    assert f'href="{pages.LEARN}/api/winsock2/nf-winsock2-recv"' in passes
    assert f'href="{pages.LEARN}/winsock/af-irda-2"' in passes
    assert "; kernel32/thread.c" in passes
    assert '<a href="../requirements.html#R7.3">R7.3</a>' in passes
    assert "startup-2x" in passes
    assert "winsock2emu conformance one.passes --target api" in passes
    assert re.search(r"<h4>expected</h4><pre>b\'five\'</pre></div><div><h4>actual</h4><pre>b\'four\'</pre>", fails)
    assert r"&lt;script&gt;alert(1)&lt;/script&gt; \x00\xd800" in fails
    assert "recorded 2026-11-25; against emulator: unexplained, api: same" in fails
    assert "<details open><summary>30 steps</summary><ol><li>step number 0</li>" in fails
    assert f"<summary>{pages.LOG} steps, {30 - pages.LOG} before these</summary>" in passes


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("winsock2/nf-winsock2-recv, parameter len", f"{pages.LEARN}/api/winsock2/nf-winsock2-recv"),
        ("WinSock/tcp-ip-raw-sockets-2", f"{pages.LEARN}/winsock/tcp-ip-raw-sockets-2"),
        ("FileIO/i-o-completion-ports", f"{pages.LEARN}/fileio/i-o-completion-ports"),
        ("github.com/jart/cosmopolitan/issues/1000, observed", "https://github.com/jart/cosmopolitan/issues/1000"),
        ("Wine's public test ws2_32/sock.c, which passes on Windows", None),
        ("Microsoft TCP/IP provider, requirement A2", None),
    ],
)
def test_a_source_links_to_the_page_it_names(source: str, address: str | None) -> None:
    found = pages.source_links(source)
    assert re.findall(r'href="([^"]*)"', found) == ([] if address is None else [address])
    assert re.sub(r"<[^>]*>", "", found) == source


def test_the_source_page_has_the_line_where_the_case_begins(folder: Path) -> None:
    case = whole().lines[0].case
    assert case.line == holds.__code__.co_firstlineno
    source = (folder / "sources" / "test_pages.html").read_text(encoding="utf-8")
    assert re.search(rf'<a id="L{case.line}">\s*{case.line}</a> def holds', source)


def test_requirements_tell_their_state_and_cases(folder: Path) -> None:
    page = (folder / "requirements.html").read_text(encoding="utf-8")
    rows = {id: re.findall(rf'<tr id="{id}">(.*?)</tr>', page)[0] for id in ("R7.3", "R7.4", "R7.5")}
    assert '<td class="pass">pass</td>' in rows["R7.3"]
    assert 'href="chapters/made-up.html#one.passes"' in rows["R7.3"]
    assert '<td class="fail">fail</td>' in rows["R7.4"]
    assert "no case" in rows["R7.5"]


def test_the_look_follows_the_reader_and_the_width(folder: Path) -> None:
    style = (folder / "pages.css").read_text(encoding="utf-8")
    assert "prefers-color-scheme: dark" in style
    assert "max-width: 40rem" in style
    for outcome in Outcome:
        assert f".{pages.name_of(outcome)} {{ background:" in style
    assert 'name="viewport"' in (folder / "index.html").read_text(encoding="utf-8")


def test_an_empty_run_has_pages(tmp_path: Path) -> None:
    pages.write(sample([]), tmp_path)
    assert "0 cases" in Page(tmp_path / "index.html").words


def many() -> list[Line]:
    """As many cases as the suite has, each with twice the call log of a real one, on three targets."""
    step = "WSARecv(1234, [bytearray(b'abcdefgh')], 0, None, None) -> (8, 0) and that is all there is to see"
    result = made(Outcome.PASS, steps=(step,) * 8, seconds=0.01)
    ids = report.sections()[0].ids

    def numbered(n: int) -> Case:
        return declare(holds, f"many.cases.n{n}", chapter=f"Chapter {n % 40}", requirements=[ids[n % len(ids)]])

    return [Line(numbered(n), dict.fromkeys(("emulator", "api", "wine"), result)) for n in range(4000)]


def test_a_full_run_stays_under_twenty_megabytes(tmp_path: Path) -> None:
    pages.write(sample(many()), tmp_path)
    sizes = [file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()]
    assert sum(sizes) < 20_000_000
    assert (tmp_path / "index.html").stat().st_size < 2_000_000


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium here")
@pytest.mark.parametrize(
    ("page", "shown"),
    [("index.html", 'class="matrix"'), ("chapters/made-up.html#one.fails", 'id="one.fails"')],
)
def test_a_browser_shows_matrix_and_case(page: str, shown: str, folder: Path, tmp_path: Path) -> None:
    assert BROWSER is not None
    picture = tmp_path / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    address = f"{folder.as_uri()}/{page}"
    document = subprocess.run([BROWSER, *options, "--dump-dom", address], capture_output=True, timeout=60, check=True)
    assert shown in document.stdout.decode()
    subprocess.run([BROWSER, *options, f"--screenshot={picture}", address], capture_output=True, timeout=60, check=True)
    assert picture.stat().st_size > 5_000  # an empty page is smaller
