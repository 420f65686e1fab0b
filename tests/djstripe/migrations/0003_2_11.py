from tests.djstripe.folded import shipped


class Migration(shipped("0003_2_11")):
    operations = []
