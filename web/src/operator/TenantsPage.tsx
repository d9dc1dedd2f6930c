import { Button, Card, Group, Select, Skeleton, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useDebouncedValue } from '@mantine/hooks';
import { IconBuildingSkyscraper, IconPlus, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Tenant } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { Pill } from '@/status/StateBadge';
import { Dialog } from '@/ui/Dialog';
import { EmptyState } from '@/ui/EmptyState';
import { ErrorPanel, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { PageHeader } from '@/ui/PageHeader';
import { healthOf } from './health';
import { type TenantSummary, tenantsQuery, useCreateTenant, usePlans } from './queries';
import { slugOf } from './slug';
import classes from './TenantsPage.module.css';

/** Every client company: its plan, what it has, whether it is active. */
export function TenantsPage() {
  const { t } = useTranslation(['operator', 'ui']);
  const [search, setSearch] = useState('');
  const [sought] = useDebouncedValue(search, 200);
  const [status, setStatus] = useState<Tenant['status'] | null>(null);
  const [plan, setPlan] = useState<string | null>(null);
  const [creating, setCreating] = useState(false);
  const { data: plans } = usePlans();
  const query = useInfiniteQuery(
    tenantsQuery({ search: sought || undefined, status: status ?? undefined, plan: plan ?? undefined }),
  );
  const tenants = query.data?.pages.flatMap((p) => p.items) ?? [];
  const filtered = sought !== '' || status !== null || plan !== null;
  const create = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      {t('tenants.create')}
    </Button>
  );
  return (
    <>
      <PageHeader title={t('tenants.title')} text={t('tenants.text')} actions={create} />
      <div className={classes.toolbar}>
        <TextInput
          className={classes.search}
          aria-label={t('tenants.search')}
          placeholder={t('tenants.search')}
          leftSection={<IconSearch size={15} stroke={1.8} />}
          value={search}
          onChange={(e) => setSearch(e.currentTarget.value)}
        />
        <Select
          aria-label={t('tenants.status')}
          placeholder={t('tenants.anyStatus')}
          clearable
          data={[
            { value: 'active', label: t('status.active') },
            { value: 'suspended', label: t('status.suspended') },
          ]}
          value={status}
          onChange={(v) => setStatus(v as Tenant['status'] | null)}
        />
        <Select
          aria-label={t('tenants.plan')}
          placeholder={t('tenants.anyPlan')}
          clearable
          data={(plans ?? []).map((p) => ({ value: p.id, label: p.name }))}
          value={plan}
          onChange={setPlan}
        />
      </div>
      {query.isError ? (
        <ErrorPanel error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <Skeleton h={280} radius="lg" />
      ) : tenants.length === 0 ? (
        <Card>
          {filtered ? (
            <EmptyState
              icon={IconSearch}
              title={t('ui:empty.filtered')}
              text={t('ui:empty.filteredText')}
              action={
                <Button
                  variant="default"
                  onClick={() => {
                    setSearch('');
                    setStatus(null);
                    setPlan(null);
                  }}
                >
                  {t('ui:empty.clear')}
                </Button>
              }
            />
          ) : (
            <EmptyState
              icon={IconBuildingSkyscraper}
              title={t('tenants.empty')}
              text={t('tenants.emptyText')}
              action={create}
            />
          )}
        </Card>
      ) : (
        <Card padding={0} className={classes.card}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">{t('column.name')}</th>
                <th scope="col">{t('column.status')}</th>
                <th scope="col">{t('column.plan')}</th>
                <th scope="col">{t('column.health')}</th>
                <th scope="col" className={classes.number}>
                  {t('column.workers')}
                </th>
                <th scope="col" className={classes.number}>
                  {t('column.bots')}
                </th>
                <th scope="col" className={classes.number}>
                  {t('column.memory')}
                </th>
                <th scope="col" className={classes.number}>
                  {t('column.day')}
                </th>
                <th scope="col" className={classes.number}>
                  {t('column.members')}
                </th>
              </tr>
            </thead>
            <tbody>
              {tenants.map((summary) => (
                <Row key={summary.tenant.id} summary={summary} />
              ))}
            </tbody>
          </table>
          {query.hasNextPage && (
            <Group justify="center" p="md">
              <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t('ui:loadMore')}
              </Button>
            </Group>
          )}
        </Card>
      )}
      {creating && <CreateTenant onClose={() => setCreating(false)} />}
    </>
  );
}

function Row({ summary }: { summary: TenantSummary }) {
  const { t } = useTranslation(['operator', 'ui']);
  const format = useFormat();
  const { tenant, totals, limits, usage } = summary;
  const of = (value: number, limit: number, say: (n: number) => string) =>
    t('ui:of', { value: say(value), limit: say(limit) });
  return (
    <tr>
      <th scope="row">
        <Link to="/operator/tenants/$tenantId" params={{ tenantId: tenant.id }} className={classes.name}>
          {tenant.name}
        </Link>
        <span className={classes.slug}>{tenant.slug}</span>
      </th>
      <td data-label={t('column.status')}>
        <StatusPill status={tenant.status} />
      </td>
      <td data-label={t('column.plan')}>{tenant.plan}</td>
      <td data-label={t('column.health')}>
        <HealthPill summary={summary} />
      </td>
      <td data-label={t('column.workers')} className={classes.number}>
        {of(totals.workers, limits.workers, format.number)}
      </td>
      <td data-label={t('column.bots')} className={classes.number}>
        {of(totals.bots, limits.bots, format.number)}
      </td>
      <td data-label={t('column.memory')} className={classes.number}>
        {of(totals.memory_mib, limits.memory_mib, format.memory)}
      </td>
      <td data-label={t('column.day')} className={classes.number}>
        {t('column.dayOf', {
          cpu: format.number(usage.cpu_ms / 3_600_000, { maximumFractionDigits: 1 }),
          requests: format.number(usage.requests),
        })}
      </td>
      <td data-label={t('column.members')} className={classes.number}>
        {of(totals.members, limits.members, format.number)}
      </td>
    </tr>
  );
}

/** What is worst of the company's Workers and bots, and how many are so. */
function HealthPill({ summary }: { summary: TenantSummary }) {
  const { t } = useTranslation('operator');
  const { tone, count } = healthOf(summary);
  switch (tone) {
    case 'bad':
      return <Pill tone="bad" label={t('tenants.failing', { count })} />;
    case 'warn':
      return <Pill tone="warn" label={t('tenants.attention', { count })} />;
    case 'off':
      return <Pill tone="off" label={t('tenants.nothing')} />;
    default:
      return <Pill tone="ok" label={t('tenants.well')} />;
  }
}

export function StatusPill({ status }: { status: Tenant['status'] }) {
  const { t } = useTranslation('operator');
  return <Pill tone={status === 'active' ? 'ok' : 'warn'} label={t(`status.${status}`)} />;
}

function CreateTenant({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation(['operator', 'ui']);
  const navigate = useNavigate();
  const { data: plans } = usePlans();
  const create = useCreateTenant();
  const form = useForm({
    initialValues: { name: '', slug: '', plan: 'FREE' },
    validate: { name: (v) => (v.trim() === '' ? t('create.nameMissing') : null) },
  });
  return (
    <Dialog onClose={onClose} title={t('tenants.create')}>
      <form
        noValidate
        onSubmit={form.onSubmit(({ name, slug, plan }) =>
          create.mutate(
            { name: name.trim(), slug: slug.trim() || undefined, plan },
            {
              onSuccess: (tenant) => {
                onClose();
                void navigate({ to: '/operator/tenants/$tenantId', params: { tenantId: tenant.id } });
              },
              onError: (error) => form.setErrors(fieldErrors(error)),
            },
          ),
        )}
      >
        <Stack gap="md">
          <TextInput
            data-autofocus
            label={t('create.name')}
            placeholder="Padaria Pão Quente"
            maxLength={80}
            required
            {...form.getInputProps('name')}
          />
          <TextInput
            label={t('create.slug')}
            description={t('create.slugHelp')}
            placeholder={slugOf(form.values.name) || 'padaria-pao-quente'}
            maxLength={40}
            {...form.getInputProps('slug')}
          />
          <Select
            label={t('column.plan')}
            allowDeselect={false}
            data={(plans ?? []).map((p) => ({ value: p.id, label: p.name }))}
            {...form.getInputProps('plan')}
          />
          {create.error && <InlineError error={create.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={create.isPending}>
              {t('tenants.create')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
