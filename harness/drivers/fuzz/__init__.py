"""Fuzzing by Schemathesis, all of it through the run's recorder.

engine.py runs Schemathesis and alone imports it · seam.py takes each of its requests to the recorder ·
callers.py holds the identities it speaks for · pool.py the ids of things, offered where one is needed · judgement.py
makes findings of its failures, or not · campaign.py is one fuzzing with its verdicts: `campaign.fuzz` is what others
call · shards.py divides operations over processes · __main__.py joins a run as a process of its own, or as several.

The seam is `schema.app`: Schemathesis is given an ASGI application in place of the target. Its hooks do not see the
requests that its checks send by themselves (without credentials, with wrong ones, the same again with another media
type); an application sees every one. Failures come from the engine's stream of events, which says with which cases, in
which order, a check failed; the case's id travels in a header that the seam takes off.

Schemathesis judges only what no standing promise judges. Its checks of status, media type, body, headers, server errors
and accepted invalid data are off, since the standing promises judge the recorded exchanges anyway, and of the rest a
failure is a finding only where no correct API could have given it (see judgement.py).
"""
