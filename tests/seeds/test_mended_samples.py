"""The repair of the samples takes out blanks and nothing else."""

import re

import pytest

from tests.seeds.extract import SAMPLES, cut, mend_vbscript, read_document, seeds_folder


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_but_blanks_is_taken_out_of_a_sample(name: str) -> None:
    sample, folder = SAMPLES[name], seeds_folder()
    assert folder
    torn = cut(read_document(folder, sample.document), sample)
    if sample.mend is mend_vbscript:
        torn = torn.replace("& amp;", "&")
    assert re.sub(r"\s", "", sample.mend(torn)) == re.sub(r"\s", "", torn)
