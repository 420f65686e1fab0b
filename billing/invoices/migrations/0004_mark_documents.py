from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('billing_invoices', '0003_processor_notes'),
        ('billing_usage', '0010_after_document'),
    ]

    operations = [
        migrations.AlterField(
            model_name='invoiceline',
            name='kind',
            field=models.CharField(choices=[('subscription', 'Plan'), ('proration', 'Change of plan'), ('usage', 'Usage'), ('overage', "Executions past the plan's limit"), ('adjustment', 'Usage of an earlier period'), ('correction', 'Usage taken back'), ('credit', 'Credit note'), ('other', 'Other')], max_length=12),
        ),
        # Documents from before there were marks.
        migrations.RunSQL(
            """INSERT INTO billing_usage_documentmark (account_id, position)
               SELECT account_id, max(position) FROM billing_invoices_invoice GROUP BY account_id
               ON CONFLICT (account_id) DO NOTHING""",
            migrations.RunSQL.noop,
        ),
    ]
