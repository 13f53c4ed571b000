from types import SimpleNamespace

from std_srvs.srv import Trigger

from lazy_vos_ros.nodes.servers import servers_of


def test_a_server_that_is_replaced_is_another_one(graph):
    name = f'{graph.namespace}/go'
    assert servers_of(graph.node, name) == frozenset()
    found = []
    for _ in range(2):
        service = graph.node.create_service(Trigger, 'go', lambda _, response: response)
        graph.until(lambda: servers_of(graph.node, name) - set(found), 'the server is seen')
        (identity,) = servers_of(graph.node, name)
        found.append(identity)
        graph.node.destroy_service(service)
        graph.until(lambda: not servers_of(graph.node, name), 'the server is gone')
    assert len(set(found)) == 2


def test_without_identities_servers_are_counted():
    node = SimpleNamespace(
        get_subscriptions_info_by_topic=lambda *_, **__: [], count_services=lambda _: 2
    )
    assert len(servers_of(node, '/go')) == 2
