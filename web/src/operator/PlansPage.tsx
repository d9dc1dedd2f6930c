import {
  Button,
  Card,
  Group,
  MultiSelect,
  NumberInput,
  SimpleGrid,
  Skeleton,
  Stack,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Isolation, Limits, Plan } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { Dialog } from '@/ui/Dialog';
import { ErrorPanel, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { PageHeader } from '@/ui/PageHeader';
import classes from './PlansPage.module.css';
import { usePlans, usePutPlan } from './queries';

const levels: Isolation[] = ['container', 'sandbox', 'vm'];

/** What companies may use, by plan. */
export function PlansPage() {
  const { t } = useTranslation(['operator', 'tenants', 'workers']);
  const format = useFormat();
  const { data: plans, error, refetch } = usePlans();
  const [editing, setEditing] = useState<Plan | 'new' | null>(null);
  const sorted = [...(plans ?? [])].sort((a, b) => a.limits.memory_mib - b.limits.memory_mib);
  return (
    <>
      <PageHeader
        title={t('plans.title')}
        text={t('plans.text')}
        actions={
          <Button leftSection={<IconPlus size={16} />} onClick={() => setEditing('new')}>
            {t('plans.create')}
          </Button>
        }
      />
      {error ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !plans ? (
        <Skeleton h={260} radius="lg" />
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="lg">
          {sorted.map((plan) => (
            <Card key={plan.id} component="section" aria-labelledby={`plan-${plan.id}`}>
              <Group justify="space-between" mb="md">
                <div>
                  <Title order={2} id={`plan-${plan.id}`}>
                    {plan.name}
                  </Title>
                  <Text size="xs" c="dimmed">
                    {plan.id}
                  </Text>
                </div>
                <Button
                  size="xs"
                  variant="default"
                  leftSection={<IconPencil size={15} />}
                  aria-label={t('plans.editOf', { name: plan.name })}
                  onClick={() => setEditing(plan)}
                >
                  {t('plans.edit')}
                </Button>
              </Group>
              <dl className={classes.facts}>
                <dt>{t('tenants:resource.workers')}</dt>
                <dd>{format.number(plan.limits.workers)}</dd>
                <dt>{t('tenants:resource.bots')}</dt>
                <dd>{format.number(plan.limits.bots)}</dd>
                <dt>{t('tenants:resource.cpu')}</dt>
                <dd>{format.cpu(plan.limits.cpu_millis)}</dd>
                <dt>{t('tenants:resource.memory')}</dt>
                <dd>{format.memory(plan.limits.memory_mib)}</dd>
                <dt>{t('tenants:resource.disk')}</dt>
                <dd>{format.disk(plan.limits.disk_gib)}</dd>
                <dt>{t('tenants:resource.members')}</dt>
                <dd>{format.number(plan.limits.members)}</dd>
                <dt>{t('workers:isolation.label')}</dt>
                <dd>
                  {plan.limits.isolation.length > 0
                    ? format.list(
                        plan.limits.isolation.map((level) => t(`workers:isolation.${level as Isolation}.name`)),
                      )
                    : '–'}
                </dd>
              </dl>
            </Card>
          ))}
        </SimpleGrid>
      )}
      {editing && <EditPlan plan={editing === 'new' ? undefined : editing} onClose={() => setEditing(null)} />}
    </>
  );
}

interface Values {
  id: string;
  name: string;
  workers: number;
  bots: number;
  members: number;
  cpu: number;
  memory: number;
  disk: number;
  isolation: string[];
}

const valuesOf = (plan: Plan | undefined): Values => ({
  id: plan?.id ?? '',
  name: plan?.name ?? '',
  workers: plan?.limits.workers ?? 3,
  bots: plan?.limits.bots ?? 20,
  members: plan?.limits.members ?? 10,
  cpu: (plan?.limits.cpu_millis ?? 4000) / 1000,
  memory: (plan?.limits.memory_mib ?? 8192) / 1024,
  disk: plan?.limits.disk_gib ?? 50,
  isolation: plan?.limits.isolation ?? ['container'],
});

const limitsOf = (v: Values): Limits => ({
  workers: v.workers,
  bots: v.bots,
  members: v.members,
  cpu_millis: Math.round(v.cpu * 1000),
  memory_mib: Math.round(v.memory * 1024),
  disk_gib: v.disk,
  isolation: v.isolation,
});

function EditPlan({ plan, onClose }: { plan: Plan | undefined; onClose: () => void }) {
  const { t } = useTranslation(['operator', 'tenants', 'workers', 'ui']);
  const format = useFormat();
  const put = usePutPlan();
  const form = useForm<Values>({
    initialValues: valuesOf(plan),
    validate: {
      id: (v) => (/^[A-Za-z0-9_-]{1,40}$/.test(v) ? null : t('plans.idWrong')),
      name: (v) => (v.trim() === '' ? t('create.nameMissing') : null),
    },
  });
  const comma = format.number(0.5).charAt(1);
  const number = (field: 'workers' | 'bots' | 'members' | 'cpu' | 'memory' | 'disk', label: string, suffix = '') => (
    <NumberInput
      label={label}
      min={0}
      suffix={suffix}
      decimalSeparator={comma}
      thousandSeparator={comma === ',' ? '.' : ','}
      required
      {...form.getInputProps(field)}
      onChange={(n) => form.setFieldValue(field, Number(n) || 0)}
    />
  );
  return (
    <Dialog onClose={onClose} size="lg" title={plan ? t('plans.editOf', { name: plan.name }) : t('plans.create')}>
      <form
        noValidate
        onSubmit={form.onSubmit((v) =>
          put.mutate(
            { id: v.id, name: v.name.trim(), limits: limitsOf(v) },
            {
              onSuccess: () => {
                notifications.show({ message: t('ui:saved') });
                onClose();
              },
              onError: (error) => form.setErrors(fieldErrors(error, { 'limits.isolation': 'isolation' })),
            },
          ),
        )}
      >
        <Stack gap="md">
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <TextInput
              label={t('plans.id')}
              disabled={plan !== undefined}
              required
              {...form.getInputProps('id')}
              onChange={(e) => form.setFieldValue('id', e.currentTarget.value.toUpperCase())}
            />
            <TextInput label={t('create.name')} maxLength={80} required {...form.getInputProps('name')} />
            {number('workers', t('tenants:resource.workers'))}
            {number('bots', t('tenants:resource.bots'))}
            {number('cpu', t('tenants:resource.cpu'), ' vCPU')}
            {number('memory', t('tenants:resource.memory'), ' GB')}
            {number('disk', t('tenants:resource.disk'), ' GB')}
            {number('members', t('tenants:resource.members'))}
          </SimpleGrid>
          <MultiSelect
            label={t('workers:isolation.label')}
            data={levels.map((value) => ({ value, label: t(`workers:isolation.${value}.name`) }))}
            {...form.getInputProps('isolation')}
          />
          {plan && (
            <Text size="sm" c="dimmed">
              {t('plans.effect')}
            </Text>
          )}
          {put.error && <InlineError error={put.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>
              {t('ui:cancel')}
            </Button>
            <Button type="submit" loading={put.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Dialog>
  );
}
