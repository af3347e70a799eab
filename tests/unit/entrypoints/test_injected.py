"""What handlers are given is looked up without a task for each."""

from litestar.routes import HTTPRoute

from entrypoints.http.app import create_litestar
from unit.entrypoints.harness import Service


def test_a_handler_s_dependencies_are_looked_up_one_after_another(service: Service) -> None:
    routes = [route for route in create_litestar(service.container).routes if isinstance(route, HTTPRoute)]
    models = [model for route in routes for _, model in route.route_handler_map.values()]

    assert max(len(model.dependency_batches) for model in models) > 1
    assert {len(batch) for model in models for batch in model.dependency_batches} == {1}
