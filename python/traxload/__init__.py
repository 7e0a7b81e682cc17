"""traxload sends store visits to the Trax Sessions Input API. The program is a binary, which the wheel installs.

`traxload.spark` prepares visits on a Spark cluster.
"""

import os
import sysconfig


def program():
    """The path of the program that was installed with this package, or None."""
    schemes = {None, f"{os.name}_user"} & {None, *sysconfig.get_scheme_names()}
    folders = [sysconfig.get_path("scripts", *([scheme] if scheme else [])) for scheme in schemes]
    paths = [os.path.join(folder, "traxload" + (sysconfig.get_config_var("EXE") or "")) for folder in folders]
    return next(filter(os.path.isfile, paths), None)
