import { Button, Card, Group, Select, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import type { Tenant, TenantTotals } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { SupportPanel } from '@/support/SupportPanel';
import { ConfirmByName } from '@/ui/ConfirmByName';
import { CopyField } from '@/ui/CopyField';
import { Dialog } from '@/ui/Dialog';
import { ErrorPanel, InlineError } from '@/ui/errors';
import { AnchorLink } from '@/ui/links';
import { Meter } from '@/ui/Meter';
import { PageHeader } from '@/ui/PageHeader';
import {
  invitationsQuery,
  tenantQuery,
  totalsQuery,
  useDeleteTenant,
  useInviteOwner,
  usePlans,
  useUpdateTenant,
} from './queries';
import classes from './TenantPage.module.css';
import { StatusPill } from './TenantsPage';

const route = getRouteApi('/signed-in/operator/tenants/$tenantId');

/** One client company, as far as the operator sees it: nothing of what is inside without a support session. */
export function TenantPage() {
  const { t } = useTranslation('operator');
  const format = useFormat();
  const { tenantId } = route.useParams();
  const { data: tenant, error, refetch } = useQuery(tenantQuery(tenantId));
  const totals = useQuery(totalsQuery(tenantId));
  const [asking, setAsking] = useState<'status' | 'delete' | null>(null);
  if (error) return <ErrorPanel error={error} retry={() => void refetch()} />;
  if (!tenant) return <Skeleton h={320} radius="lg" />;
  return (
    <>
      <PageHeader
        title={tenant.name}
        back={
          <AnchorLink to="/operator" className={classes.back}>
            <IconArrowLeft size={15} aria-hidden />
            {t('tenants.title')}
          </AnchorLink>
        }
        heading={
          <span className={classes.heading}>
            {tenant.name}
            <StatusPill status={tenant.status} />
          </span>
        }
        text={
          <>
            {tenant.slug} · {t('tenant.since', { date: format.date(tenant.created_at) })}
          </>
        }
        actions={
          <Button variant={tenant.status === 'active' ? 'default' : 'filled'} onClick={() => setAsking('status')}>
            {tenant.status === 'active' ? t('tenant.suspend') : t('tenant.resume')}
          </Button>
        }
      />
      <div className={classes.layout}>
        <div className={classes.column}>
          <Use totals={totals.data} error={totals.error} retry={() => void totals.refetch()} />
          <SupportPanel tenant={tenant} />
          <Owner tenant={tenant} />
        </div>
        <div className={classes.column}>
          <PlanOf key={tenant.version} tenant={tenant} />
          <Card component="section" aria-labelledby="danger" className={classes.danger}>
            <Title order={2} id="danger">
              {t('tenant.delete')}
            </Title>
            <Text size="sm" c="dimmed" mb="md">
              {t('tenant.deleteText')}
            </Text>
            <Group>
              <Button variant="default" c="var(--bad)" onClick={() => setAsking('delete')}>
                {t('tenant.delete')}
              </Button>
            </Group>
          </Card>
        </div>
      </div>
      {asking === 'status' && <ChangeStatus tenant={tenant} onClose={() => setAsking(null)} />}
      {asking === 'delete' && <DeleteTenant tenant={tenant} totals={totals.data} onClose={() => setAsking(null)} />}
    </>
  );
}

function Use({ totals: data, error, retry }: { totals: TenantTotals | undefined; error: unknown; retry: () => void }) {
  const { t } = useTranslation(['operator', 'tenants', 'ui']);
  const format = useFormat();
  const meter = (name: string, value: number, limit: number, say: (n: number) => string) => (
    <Meter
      label={name}
      name={name}
      value={value}
      limit={limit}
      text={t('ui:of', { value: say(value), limit: say(limit) })}
    />
  );
  return (
    <Card component="section" aria-labelledby="use">
      <Title order={2} id="use" mb="md">
        {t('tenant.use')}
      </Title>
      {error ? (
        <ErrorPanel error={error} retry={retry} />
      ) : !data ? (
        <Skeleton h={220} />
      ) : (
        <Stack gap="md">
          {meter(t('tenants:resource.workers'), data.totals.workers, data.limits.workers, format.number)}
          {meter(t('tenants:resource.bots'), data.totals.bots, data.limits.bots, format.number)}
          {meter(t('tenants:resource.cpu'), data.totals.cpu_millis, data.limits.cpu_millis, format.cpu)}
          {meter(t('tenants:resource.memory'), data.totals.memory_mib, data.limits.memory_mib, format.memory)}
          {meter(t('tenants:resource.disk'), data.totals.disk_gib, data.limits.disk_gib, format.disk)}
          {meter(t('tenants:resource.members'), data.totals.members, data.limits.members, format.number)}
        </Stack>
      )}
    </Card>
  );
}

function PlanOf({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation(['operator', 'ui']);
  const { data: plans } = usePlans();
  const update = useUpdateTenant();
  const [name, setName] = useState(tenant.name);
  const [plan, setPlan] = useState(tenant.plan);
  const dirty = name.trim() !== tenant.name || plan !== tenant.plan;
  return (
    <Card component="section" aria-labelledby="plan">
      <Title order={2} id="plan" mb="md">
        {t('tenant.settings')}
      </Title>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          // What was saved comes back as another tenant, with a form of its own: this one is told nothing more.
          const change = {
            name: name.trim() !== tenant.name ? name.trim() : undefined,
            plan: plan !== tenant.plan ? plan : undefined,
          };
          afterwards(update.mutateAsync({ tenant, change }), () => notifications.show({ message: t('ui:saved') }));
        }}
      >
        <Stack gap="md">
          <TextInput
            label={t('create.name')}
            maxLength={80}
            required
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
          <Select
            label={t('column.plan')}
            description={t('tenant.planHelp')}
            allowDeselect={false}
            data={(plans ?? []).map((p) => ({ value: p.id, label: p.name }))}
            value={plan}
            onChange={(v) => v && setPlan(v)}
          />
          {update.error && <InlineError error={update.error} />}
          <Group justify="flex-end">
            <Button type="submit" disabled={!dirty || name.trim() === ''} loading={update.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}

/** Invites the company's first owner, or another one. */
function Owner({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation('operator');
  const invite = useInviteOwner(tenant.id);
  const { data: open } = useQuery(invitationsQuery(tenant.id));
  const [email, setEmail] = useState('');
  return (
    <Card component="section" aria-labelledby="owner">
      <Title order={2} id="owner">
        {t('owner.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t('owner.text')}
      </Text>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          invite.mutate(email.trim(), { onSuccess: () => setEmail('') });
        }}
      >
        <Stack gap="md">
          <Group gap="sm" align="flex-end">
            <TextInput
              flex={1}
              miw={200}
              type="email"
              label={t('owner.email')}
              placeholder="dono@empresa.com.br"
              autoComplete="off"
              required
              value={email}
              onChange={(e) => setEmail(e.currentTarget.value)}
            />
            <Button type="submit" loading={invite.isPending}>
              {t('owner.invite')}
            </Button>
          </Group>
          {invite.error && <InlineError error={invite.error} />}
          {invite.data && (
            <div>
              <CopyField label={t('owner.link', { email: invite.data.email })} labelled value={invite.data.url} />
              <Text size="xs" c="dimmed" mt={4}>
                {t('owner.once')}
              </Text>
            </div>
          )}
          {open && open.length > 0 && (
            <Text size="sm" c="dimmed">
              {t('owner.open', { count: open.length, emails: open.map((i) => i.email).join(', ') })}
            </Text>
          )}
        </Stack>
      </form>
    </Card>
  );
}

function ChangeStatus({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { t } = useTranslation(['operator', 'ui']);
  const update = useUpdateTenant();
  const suspend = tenant.status === 'active';
  return (
    <Dialog
      onClose={onClose}
      title={suspend ? t('tenant.suspendTitle', { name: tenant.name }) : t('tenant.resumeTitle', { name: tenant.name })}
    >
      <Stack gap="md">
        <Text size="sm">{suspend ? t('tenant.suspendText') : t('tenant.resumeText')}</Text>
        {update.error && <InlineError error={update.error} />}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t('ui:cancel')}
          </Button>
          <Button
            color={suspend ? 'red' : undefined}
            loading={update.isPending}
            onClick={() =>
              update.mutate({ tenant, change: { status: suspend ? 'suspended' : 'active' } }, { onSuccess: onClose })
            }
          >
            {suspend ? t('tenant.suspend') : t('tenant.resume')}
          </Button>
        </Group>
      </Stack>
    </Dialog>
  );
}

interface DeleteProps {
  tenant: Tenant;
  totals: TenantTotals | undefined;
  onClose: () => void;
}

function DeleteTenant({ tenant, totals, onClose }: DeleteProps) {
  const { t } = useTranslation('operator');
  const format = useFormat();
  const navigate = useNavigate();
  const remove = useDeleteTenant();
  return (
    <ConfirmByName
      title={t('tenant.deleteTitle', { name: tenant.name })}
      name={tenant.name}
      action={t('tenant.deleteAction')}
      busy={remove.isPending}
      error={remove.error}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate(
          { id: tenant.id, confirm: tenant.name },
          {
            onSuccess: () => {
              notifications.show({ message: t('tenant.deleted', { name: tenant.name }) });
              onClose();
              void navigate({ to: '/operator' });
            },
          },
        )
      }
    >
      <Text size="sm">
        {t('tenant.deleteLoss', {
          workers: format.number(totals?.totals.workers ?? 0),
          bots: format.number(totals?.totals.bots ?? 0),
        })}
      </Text>
    </ConfirmByName>
  );
}
