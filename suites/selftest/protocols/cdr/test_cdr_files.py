"""CDR and CMR flat files: what Cisco publishes is read, ours come back, and errors name file, line and column."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CdrError
from harness.protocols.cdr import flat_file
from harness.protocols.cdr.columns import CDR, CMR, COLUMNS, UNCONFIRMED
from harness.protocols.cdr.file_series import FileSeries, WrittenFile
from harness.protocols.cdr.flat_file import FileName, Row, read, write

MINUTE = 1_782_909_000
"""2026-07-01 12:30 UTC."""


def cisco_cmr() -> bytes:
    """Two records of Cisco's Call Reporting and Billing Administration Guide, CMRs for SIP Trunks (numbers changed)."""
    columns = [column for column in COLUMNS[CMR] if column.name not in ("localSessionID", "remoteSessionID")]
    columns = [column for column in columns if not column.name.startswith("headset")]
    return "\n".join(
        [
            ",".join(f'"{column.name}"' for column in columns),
            ",".join(column.type for column in columns),
            '2,1,48553,1,"",29258891,1515145049, 3775,649300,3775,604000,0,0,4 ,"50870a6d-193d-478f-8971-0dc641a6058a",'
            '"","StandAloneCluster","sip_trunk3","", 98 ,"",,,,,,,,,,"","","",,,,,,,,,,"",""',
            '2,1,48553,1,"2001",29258890,1515145049,8900,7676700,8998,7676767,0,2,0,"7526cf73-ae78-48b1-9640-7ea19b546321",'
            '"","StandAloneCluster","SEPCD1111000011","",98,"main",0,0,0,0,0,0,0,0,0,"","TxFrameRate=0","",,,,,,,,,,"",""',
            "",
        ]
    ).encode()


def test_cisco_s_own_records_are_read() -> None:
    file = read(cisco_cmr(), "cmr_StandAloneCluster_01_201801050937_1")
    assert (file.tag, file.has_types, len(file.rows)) == (CMR, True, 2)
    trunk, telephone = file.rows
    assert (trunk["numberPacketsSent"], trunk["latency"], trunk["duration"]) == (3775, 4, 98)
    assert (trunk["directoryNum"], trunk["videoDuration"]) == ("", None)
    assert (telephone["directoryNum"], telephone["videoTransmissionMetrics"]) == ("2001", "TxFrameRate=0")
    assert file.missing == ["localSessionID", "remoteSessionID", "headsetSN", "headsetMetrics"]


def test_the_columns_are_those_of_the_newest_release() -> None:
    assert (len(COLUMNS[CDR]), len(COLUMNS[CMR])) == (133, 48)
    names = [column.name for column in COLUMNS[CDR]]
    # Places that public readers of these files count by.
    places = {7: "origIpAddr", 29: "originalCalledPartyNumber", 50: "pkid", 55: "duration", 101: "huntPilotPartition"}
    assert {place: names[place] for place in places} == places
    assert set(names[-4:]) == UNCONFIRMED
    assert len(set(map(str.lower, names))) == 133


def test_a_file_name_is_read_and_written() -> None:
    """Cisco's example, and one as a cluster with a hyphen makes it."""
    name = FileName.parse("cmr_Cluster1_02_200404061011_6125")
    assert (name.tag, name.cluster, name.node, name.sequence) == ("cmr", "Cluster1", 2, 6125)
    assert name.minute == 1_081_246_260
    for text in (str(name), "cdr_Control-Cluster_01_06_202101122006_158160", "cdr_A_100_202607011230_1"):
        assert str(FileName.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cdr",
        "abc_C_01_200404061011_1",
        "cdr_C_01_20040406101_1",
        "cdr_C_01_200413061011_1",
        "cdr_C_01_200404061011_1.csv",
    ],
)
def test_what_is_no_file_name_is_told(text: str) -> None:
    with pytest.raises(CdrError, match="file name"):
        FileName.parse(text)


@pytest.mark.parametrize(
    "name",
    [
        FileName("abc", "C", 1, 0, 1),
        FileName("cdr", "C D", 1, 0, 1),
        FileName("cdr", "", 1, 0, 1),
        FileName("cdr", "C", 0, 0, 1),
        FileName("cdr", "C", 1, -1, 1),
        FileName("cdr", "C", 1, 0, -1),
    ],
)
def test_a_name_that_no_file_has_is_refused(name: FileName) -> None:
    with pytest.raises(CdrError):
        str(name)


def test_a_file_has_names_then_types_then_records() -> None:
    head, types, record, end = write(CDR, [{"cdrRecordType": 1, "comment": 'a "b", c'}]).decode().split("\n")
    assert head.startswith('"cdrRecordType","globalCallID_callManagerId","globalCallID_callId"')
    assert types.startswith("INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(128)")
    assert record.startswith('1,,,,,,,,"","",,') and '"a ""b"", c"' in record
    assert end == ""
    rows = list(csv.DictReader(io.StringIO(write(CDR, [{"comment": "x"}]).decode())))
    assert (rows[0]["comment"], rows[1]["comment"], rows[1]["duration"]) == ("VARCHAR(2048)", "x", "")


def test_a_file_of_another_release_or_of_car_is_read_by_its_own_head() -> None:
    car = 'duration,origLegCallIdentifier,cdrRecordType,newColumn,globalCallId_callId\r\n7,1,1,"x, y",12\r\n'
    file = read(b"\xef\xbb\xbf" + car.encode())
    assert not file.has_types
    assert file.rows == (
        {"duration": 7, "origLegCallIdentifier": 1, "cdrRecordType": 1, "newColumn": "x, y", "globalCallId_callId": 12},
    )
    assert "pkid" in file.missing and "globalCallID_callId" not in file.missing
    typed = '"origLegCallIdentifier","newColumn"\nINTEGER,INTEGER\n1,-2\n\n'
    assert read(typed.encode()).rows == ({"origLegCallIdentifier": 1, "newColumn": -2},)


GOOD = '"origLegCallIdentifier","comment","duration"\nINTEGER,VARCHAR(50),INTEGER\n1,"a",2\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f: empty"),
        ("\n\n", "f: empty"),
        ("hello\n", "f, line 1: 'hello' … are no columns"),
        (GOOD.replace('"comment"', '"duration"'), "f, line 1, column 3: 'duration' is empty or twice"),
        (GOOD.replace('"comment"', '""'), "f, line 1, column 2: ''"),
        (GOOD.replace("VARCHAR(50)", "TEXT"), "f, line 2, column comment: type 'TEXT'"),
        (GOOD.replace("VARCHAR(50),", ""), "f, line 2: 2 types for 3 columns"),
        (GOOD + "1,2\n", "f, line 4: 2 values for 3 columns"),
        (GOOD + '1,"a",b\n', "f, line 4, column duration: 'b'"),
        (GOOD + '1,"a",4294967296\n', "f, line 4, column duration: '4294967296'"),
        (GOOD + '1,"a",-2147483649\n', "f, line 4, column duration"),
        (GOOD + '1,"a\n', "f, line 4: unexpected end of data"),
        (GOOD + '1,"a"b,2\n', "f, line 4: ',' expected"),
        (GOOD + '1,"a\nb",2\n1,"c",d\n', "f, line 6, column duration: 'd'"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_column(text: str, told: str) -> None:
    with pytest.raises(CdrError) as error:
        read(text.encode(), "f")
    assert told in str(error.value)


def test_what_is_not_utf_8_or_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CdrError, match="line 4: not UTF-8"):
        read(GOOD.encode() + b"\xff", "f")
    monkeypatch.setattr(flat_file, "MAX_ROWS", 1)
    with pytest.raises(CdrError, match="line 4: more than 1 records"):
        read((GOOD + GOOD[-8:]).encode(), "f")
    with pytest.raises(CdrError, match="1 records at most"):
        write(CDR, [{}, {}])
    monkeypatch.setattr(flat_file, "MAX_FILE", 10)
    with pytest.raises(CdrError, match="10 are read at most"):
        read(GOOD.encode(), "f")


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"noColumn": 1}, "cdr record 1: there is no column 'noColumn'"),
        ({"duration": "1"}, "column duration: '1'"),
        ({"duration": 2**32}, "column duration: 4294967296"),
        ({"duration": -(2**31) - 1}, "column duration"),
        ({"comment": 1}, "column comment: 1"),
        ({"callingPartyNumber": "x" * 51}, "up to 50 characters"),
        ({"pkid": "x" * 37}, "up to 36 characters"),
        ({"comment": "a\nb"}, "a line break"),
        ({"comment": "\ud800"}, "control character"),
    ],
)
def test_a_record_that_can_not_be_written_is_told_with_its_column(row: Row, told: str) -> None:
    with pytest.raises(CdrError) as error:
        write(CDR, [row])
    assert told in str(error.value)


def rows(tag: str) -> st.SearchStrategy[dict[str, object]]:
    """Whole rows of a tag, each value of its column's type."""
    number = st.none() | st.integers(flat_file.MIN_NUMBER, flat_file.MAX_NUMBER)
    text = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=8)
    return st.fixed_dictionaries(
        {column.name: number if column.is_number else text for column in COLUMNS[tag] if column.name not in ("pkid",)}
    ).map(lambda row: {**row, "pkid": ""})


@pytest.mark.parametrize("tag", [CDR, CMR])
@given(data=st.data())
def test_records_come_back_as_they_went(tag: str, data: st.DataObject) -> None:
    made = data.draw(st.lists(rows(tag), max_size=2))
    file = read(write(tag, made), "f")  # type: ignore[arg-type]
    assert [dict(row) for row in file.rows] == made
    assert file.columns == COLUMNS[tag] and file.missing == [] and file.has_types


@given(st.binary(max_size=200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(octets: bytes) -> None:
    for data in (octets, GOOD.encode() + octets, cisco_cmr() + octets):
        try:
            read(data, "f")
        except CdrError as error:
            assert str(error).startswith("f")
    try:
        FileName.parse(octets.decode("latin-1"))
    except CdrError:
        return


def test_files_follow_one_another_every_interval() -> None:
    series = FileSeries(CDR, "StandAloneCluster", 1, interval=60, sequence=7)
    assert series.due is None and series.roll(MINUTE + 1e9) == []
    assert series.add({"duration": 1}, MINUTE + 10.5) == []
    assert series.due == MINUTE + 70.5
    assert series.add({"duration": 2}, MINUTE + 60) == []
    (first,) = series.add({"duration": 3}, MINUTE + 71)
    assert first.name == "cdr_StandAloneCluster_01_202607011230_7"
    assert [row["duration"] for row in read(first.data).rows] == [1, 2]
    assert series.roll(MINUTE + 100) == []
    (second,) = series.roll(MINUTE + 131)
    assert second.name == "cdr_StandAloneCluster_01_202607011231_8"
    assert series.finish() == [] and series.due is None


def test_a_record_that_can_not_be_written_does_not_cost_the_others_theirs() -> None:
    series = FileSeries(CMR, "C", 2)
    series.add({"jitter": 1}, MINUTE)
    with pytest.raises(CdrError, match="column jitter"):
        series.add({"jitter": "much"}, MINUTE)
    (file,) = series.finish()
    assert [row["jitter"] for row in read(file.data).rows] == [1]


def test_a_full_file_is_closed_before_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.protocols.cdr.file_series.ROWS_IN_FILE", 2)
    series = FileSeries(CDR, "C", 1)
    closed: list[WrittenFile] = []
    for _ in range(5):
        closed += series.add({}, MINUTE)
    assert [file.name for file in closed] == ["cdr_C_01_202607011230_1", "cdr_C_01_202607011230_2"]
    assert series.due is not None


def test_a_series_that_no_file_can_be_named_by_is_refused() -> None:
    for tag, cluster, node, interval in (
        ("xdr", "C", 1, 60),
        ("cdr", "C D", 1, 60),
        ("cdr", "C", 0, 60),
        ("cdr", "C", 1, 0),
    ):
        with pytest.raises(CdrError):
            FileSeries(tag, cluster, node, interval=interval)
