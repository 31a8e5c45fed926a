"""What every process builds from its settings: rules and the Redis client."""

from redis.asyncio import Redis

from processors.rules import Rules
from schemas.areas import load_areas
from schemas.catalogue import load_catalogue
from schemas.places import NO_PLACES, load_places
from schemas.settings import Settings
from schemas.standards import load_standards
from streams.connections import redis_client


def load_rules(settings: Settings) -> Rules:
    """The catalogue, areas, standards and places of the settings. Raises as their loaders do.

    Places that ship are of the areas that ship; with other areas there are none unless they are
    given.
    """
    catalogue = load_catalogue(settings.catalogue_file)
    standards = load_standards(catalogue, settings.standards_file)
    areas = load_areas(settings.areas_file)
    has_places = settings.places_file is not None or settings.areas_file is None
    places = load_places(settings.places_file) if has_places else NO_PLACES
    return Rules(catalogue, areas, standards, places)


def connect_redis(settings: Settings) -> Redis:
    """A client of the settings' Redis; it connects when first used."""
    return redis_client(settings.redis)
