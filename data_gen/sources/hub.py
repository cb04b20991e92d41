"""Files of data sets on the Hugging Face hub."""

import huggingface_hub
from huggingface_hub import errors

PREFIX = "hub:"


def fetch(name: str, revision: str, folder=None, endpoint: str | None = None) -> str:
    """The local copy of `hub:OWNER/NAME/FILE` at a revision (a branch, a tag or a commit), downloaded at the first use.

    It is kept in `folder`, or where the hub's own tools keep theirs. ValueError for another form of name, and OSError
    that says what to do where there is no network, no such data set, no such file or no leave to read it.
    """
    parts = name.removeprefix(PREFIX).split("/", 2)
    if not name.startswith(PREFIX) or len(parts) != 3 or not all(parts):
        raise ValueError(f"a file on the hub is {PREFIX}OWNER/NAME/FILE, got {name!r}")
    owner, data_set, file = parts
    try:
        return huggingface_hub.hf_hub_download(
            f"{owner}/{data_set}", file, repo_type="dataset", revision=revision, cache_dir=folder, endpoint=endpoint
        )
    except errors.HFValidationError as error:
        raise ValueError(f"{name}: {error}") from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        why = str(error).partition("\n")[0]
        raise OSError(
            f"{name} at {revision!r} is not on this machine and the hub cannot be reached ({why}); "
            "download the file where there is a network, and give its local path"
        ) from None
    except errors.HfHubHTTPError as error:
        raise OSError(f"{name} at {revision!r}: {str(error).strip().partition(chr(10))[0]}") from None
