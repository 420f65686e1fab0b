from tests.djstripe.folded import folded, shipped


class Migration(shipped("0001_initial")):
    operations = folded()
