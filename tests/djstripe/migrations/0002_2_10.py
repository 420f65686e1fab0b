from tests.djstripe.folded import shipped


class Migration(shipped("0002_2_10")):
    operations = []
