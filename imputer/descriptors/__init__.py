"""OaSIS descriptors and O*NET elements: which are the same, and what an O*NET rating is worth on the OaSIS scale.

Floors, imports run downward only::

    calibration    per descriptor the method, its measured error, and the estimates themselves
    scores         how near estimates come to the published ratings
    estimator      estimates for every unit group, each made without its own OaSIS ratings
    likeness       how alike unit groups are: by O*NET ratings and by place in the NOC
    matrices       unit groups by ratings
    mapping        the curated map of descriptors and elements

No OaSIS value is made by stretching an O*NET scale: the two systems use theirs differently.
"""
