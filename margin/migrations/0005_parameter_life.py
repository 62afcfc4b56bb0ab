import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

_DROP_APPEND_ONLY = migrations.RunSQL(
    "DROP TRIGGER margin_parameterversion_append_only ON margin_parameterversion",
    """
    CREATE TRIGGER margin_parameterversion_append_only
        BEFORE UPDATE OR DELETE OR TRUNCATE ON margin_parameterversion
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)

# The moves are those of margin.lifecycle; a test compares the two.
_GUARD_UPDATE = migrations.RunSQL(
    """
    CREATE FUNCTION parameter_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF (NEW.methodology, NEW.origin, NEW.created_at, NEW.created_by, NEW.replaces_id, NEW.restores_id)
            IS DISTINCT FROM
           (OLD.methodology, OLD.origin, OLD.created_at, OLD.created_by, OLD.replaces_id, OLD.restores_id)
           OR OLD.state <> 'draft' AND
           (NEW.version, NEW.effective_from, NEW.document, NEW.sha256, NEW.proposer, NEW.proposed_at)
            IS DISTINCT FROM
           (OLD.version, OLD.effective_from, OLD.document, OLD.sha256, OLD.proposer, OLD.proposed_at)
           OR OLD.state NOT IN ('draft', 'proposed') AND
           (NEW.approver, NEW.second_approver, NEW.approvals_needed, NEW.approved_at, NEW.impact_id)
            IS DISTINCT FROM
           (OLD.approver, OLD.second_approver, OLD.approvals_needed, OLD.approved_at, OLD.impact_id)
           OR OLD.approver IS DISTINCT FROM NEW.approver AND OLD.approver IS NOT NULL
        THEN
            RAISE EXCEPTION 'a parameter version is append-only: % % may no longer change so',
                OLD.methodology, OLD.version USING ERRCODE = 'restrict_violation';
        END IF;
        IF NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (
            ('draft', 'proposed'), ('draft', 'withdrawn'),
            ('proposed', 'approved'), ('proposed', 'rejected'), ('proposed', 'withdrawn'),
            ('approved', 'scheduled'), ('approved', 'withdrawn'),
            ('scheduled', 'active'), ('scheduled', 'withdrawn'),
            ('active', 'superseded')
        ) THEN
            RAISE EXCEPTION 'a parameter version does not go from % to %', OLD.state, NEW.state
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER margin_parameterversion_guard BEFORE UPDATE ON margin_parameterversion
        FOR EACH ROW EXECUTE FUNCTION parameter_version_guard();
    CREATE TRIGGER margin_parameterversion_append_only BEFORE DELETE OR TRUNCATE ON margin_parameterversion
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    DROP TRIGGER margin_parameterversion_append_only ON margin_parameterversion;
    DROP TRIGGER margin_parameterversion_guard ON margin_parameterversion;
    DROP FUNCTION parameter_version_guard()
    """,
)

_GUARD_INSERT = migrations.RunSQL(
    """
    CREATE FUNCTION parameter_version_birth() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM added
            WHERE state <> CASE origin WHEN 'proposal' THEN 'draft' ELSE 'approved' END
        ) THEN
            RAISE EXCEPTION 'a parameter version begins as a draft; one loaded or rolled back to, approved'
                USING ERRCODE = 'restrict_violation';
        END IF;
        IF EXISTS (
            SELECT FROM added JOIN margin_parameterversion AS known USING (methodology)
            WHERE added.origin = 'initial' AND known.id NOT IN (SELECT id FROM added)
        ) THEN
            RAISE EXCEPTION 'parameters are loaded only while their methodology has no version'
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER margin_parameterversion_birth AFTER INSERT ON margin_parameterversion
        REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION parameter_version_birth()
    """,
    """
    DROP TRIGGER margin_parameterversion_birth ON margin_parameterversion;
    DROP FUNCTION parameter_version_birth()
    """,
)

_GUARD_REPORT = migrations.RunSQL(
    """
    CREATE FUNCTION impact_report_guard() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.state <> 'running' OR (to_jsonb(NEW) - ARRAY['state', 'newly_liquidatable', 'newly_blocked',
            'report', 'failure', 'finished_at']) <> (to_jsonb(OLD) - ARRAY['state', 'newly_liquidatable',
            'newly_blocked', 'report', 'failure', 'finished_at'])
        THEN
            RAISE EXCEPTION 'impact report % is append-only', OLD.id USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER margin_impactreport_guard BEFORE UPDATE ON margin_impactreport
        FOR EACH ROW EXECUTE FUNCTION impact_report_guard();
    CREATE TRIGGER margin_impactreport_append_only BEFORE DELETE OR TRUNCATE ON margin_impactreport
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
    """
    DROP TRIGGER margin_impactreport_append_only ON margin_impactreport;
    DROP TRIGGER margin_impactreport_guard ON margin_impactreport;
    DROP FUNCTION impact_report_guard()
    """,
)


class Migration(migrations.Migration):
    dependencies = [
        ("margin", "0004_standard_beside"),
    ]

    operations = [
        _DROP_APPEND_ONLY,
        migrations.CreateModel(
            name="ImpactReport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("base_sha256", models.CharField(max_length=64)),
                ("document_sha256", models.CharField(max_length=64)),
                (
                    "state",
                    models.CharField(
                        choices=[("running", "Running"), ("completed", "Completed"), ("failed", "Failed")],
                        default="running",
                        max_length=16,
                    ),
                ),
                ("newly_liquidatable", models.PositiveIntegerField(blank=True, null=True)),
                ("newly_blocked", models.PositiveIntegerField(blank=True, null=True)),
                ("report", models.JSONField(blank=True, null=True)),
                ("failure", models.TextField(blank=True)),
                ("requested_by", models.CharField(max_length=160)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "impact report",
                "ordering": ("-id",),
            },
        ),
        migrations.AlterModelOptions(
            name="parameterversion",
            options={
                "ordering": ("methodology", "effective_from"),
                "permissions": (
                    ("propose_parameterversion", "May draft, propose and withdraw parameter versions"),
                    ("approve_parameterversion", "May approve, reject and roll back parameter versions"),
                ),
                "verbose_name": "parameter version",
            },
        ),
        migrations.RemoveConstraint(
            model_name="parameterversion",
            name="parameter_instant_once",
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="approvals_needed",
            field=models.PositiveSmallIntegerField(default=1),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="approved_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="approver",
            field=models.CharField(blank=True, max_length=160, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="closed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="closed_by",
            field=models.CharField(blank=True, max_length=160, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="created_by",
            field=models.CharField(blank=True, max_length=160, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="proposed_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="proposer",
            field=models.CharField(blank=True, max_length=160, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="replaces",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="margin.parameterversion",
            ),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="restores",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="margin.parameterversion",
            ),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="second_approver",
            field=models.CharField(blank=True, max_length=160, null=True),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("proposed", "Proposed"),
                    ("approved", "Approved"),
                    ("scheduled", "Scheduled"),
                    ("active", "Active"),
                    ("superseded", "Superseded"),
                    ("rejected", "Rejected"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="approved",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="parameterversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("proposed", "Proposed"),
                    ("approved", "Approved"),
                    ("scheduled", "Scheduled"),
                    ("active", "Active"),
                    ("superseded", "Superseded"),
                    ("rejected", "Rejected"),
                    ("withdrawn", "Withdrawn"),
                ],
                default="draft",
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="marginrun",
            name="reason",
            field=models.CharField(
                choices=[
                    ("manual", "Manual"),
                    ("snapshot", "Snapshot"),
                    ("hourly", "Hourly"),
                    ("impact", "Impact"),
                ],
                max_length=16,
            ),
        ),
        migrations.AlterField(
            model_name="parameterversion",
            name="origin",
            field=models.CharField(
                choices=[("initial", "Initial"), ("proposal", "Proposal"), ("rollback", "Rollback")],
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="impactreport",
            name="base",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="margin.parameterversion"
            ),
        ),
        migrations.AddField(
            model_name="impactreport",
            name="base_run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="margin.marginrun"
            ),
        ),
        migrations.AddField(
            model_name="impactreport",
            name="proposed",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="impacts",
                to="margin.parameterversion",
            ),
        ),
        migrations.AddField(
            model_name="impactreport",
            name="proposed_run",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="margin.marginrun"
            ),
        ),
        migrations.AddField(
            model_name="impactreport",
            name="snapshot",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="margin.marketsnapshot"
            ),
        ),
        migrations.AddField(
            model_name="parameterversion",
            name="impact",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="margin.impactreport",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("approved", "scheduled", "active", "superseded"))),
                fields=("methodology", "effective_from"),
                name="parameter_instant_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        [
                            "draft",
                            "proposed",
                            "approved",
                            "scheduled",
                            "active",
                            "superseded",
                            "rejected",
                            "withdrawn",
                        ],
                    )
                ),
                name="parameter_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("origin__in", ["initial", "proposal", "rollback"])),
                name="parameter_origin_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approver__isnull", True),
                    models.Q(
                        ("proposer__isnull", False),
                        models.Q(("approver", models.F("proposer")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="parameter_approver_is_not_proposer",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("second_approver__isnull", True),
                    models.Q(
                        ("approver__isnull", False),
                        models.Q(("second_approver", models.F("proposer")), _negated=True),
                        models.Q(("second_approver", models.F("approver")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="parameter_second_approver_is_a_third_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["draft", "withdrawn"]),
                    ("origin", "initial"),
                    models.Q(("proposed_at__isnull", False), ("proposer__isnull", False)),
                    _connector="OR",
                ),
                name="parameter_proposed_by_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("approved", "scheduled", "active", "superseded")), _negated=True),
                    models.Q(("origin", "proposal"), _negated=True),
                    models.Q(
                        ("approved_at__isnull", False),
                        ("approved_at__lt", models.F("effective_from")),
                        ("approver__isnull", False),
                        ("impact__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="parameter_published_by_approval_ahead",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("approved", "scheduled", "active", "superseded")), _negated=True),
                    ("approvals_needed", 1),
                    ("second_approver__isnull", False),
                    _connector="OR",
                ),
                name="parameter_held_for_second_approver",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin", "rollback"), _negated=True),
                    models.Q(
                        ("replaces__isnull", False),
                        ("restores__isnull", False),
                        models.Q(("reason", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="parameter_rollback_names_both",
            ),
        ),
        migrations.AddConstraint(
            model_name="parameterversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ["rejected", "withdrawn"]), _negated=True),
                    models.Q(
                        ("closed_at__isnull", False),
                        ("closed_by__isnull", False),
                        models.Q(
                            ("approved_at__isnull", True),
                            ("closed_at__lt", models.F("effective_from")),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="parameter_closed_before_in_force",
            ),
        ),
        migrations.AddIndex(
            model_name="impactreport",
            index=models.Index(
                condition=models.Q(("state", "running")), fields=["id"], name="impact_running"
            ),
        ),
        migrations.AddIndex(
            model_name="impactreport",
            index=models.Index(fields=["proposed", "-id"], name="impact_by_proposed"),
        ),
        migrations.AddConstraint(
            model_name="impactreport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")),
                fields=("base", "proposed"),
                name="impact_one_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="impactreport",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["running", "completed", "failed"])),
                name="impact_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="impactreport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "completed"), _negated=True),
                    models.Q(
                        ("finished_at__isnull", False),
                        ("newly_blocked__isnull", False),
                        ("newly_liquidatable__isnull", False),
                        ("report__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="impact_completed_has_report",
            ),
        ),
        _GUARD_UPDATE,
        _GUARD_INSERT,
        _GUARD_REPORT,
    ]
