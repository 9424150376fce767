import pytest
from service_world import make_ca


@pytest.fixture(scope="session")
def ca(tmp_path_factory):
    """A folder with ca.pem, and server.pem and server.key for localhost."""
    return make_ca(tmp_path_factory.mktemp("ca"))
