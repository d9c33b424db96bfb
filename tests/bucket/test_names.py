import pytest

import bucket


@pytest.mark.parametrize(("name", "version"), [("../x", "1"), ("x", "../1"), ("x", ""), ("", "1")])
def test_keys_of_reports(name, version):
    assert bucket.report_key("hello", "a.b_c-1") == "reports/hello/a.b_c-1.json"
    with pytest.raises(ValueError, match="not a"):
        bucket.report_key(name, version)
