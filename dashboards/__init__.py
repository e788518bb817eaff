"""Kibana dashboards of a hub: described once, written as saved objects, checked offline, installed by HTTP."""
