"""The register of sources: which there are, what each may send, and whom to call.

What a source may send, its token says. The register tells operators who is connected, and lets what a
source was refused be taken again once it has been given a domain that it lacked.
"""
