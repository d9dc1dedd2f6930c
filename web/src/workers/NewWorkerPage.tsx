import { Button, Card, Radio, Skeleton, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { IconArrowLeft } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Capabilities, Isolation, Size, TenantTotals } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { capabilitiesQuery, useTenantSlug, useTotals } from '@/tenants/queries';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { AnchorLink } from '@/ui/links';
import { PageHeader } from '@/ui/PageHeader';
import { IsolationPicker } from './IsolationPicker';
import { firstPossible, isolationChoices } from './isolation';
import classes from './NewWorkerPage.module.css';
import { useCreateWorker } from './queries';
import { SizePicker } from './SizePicker';
import { exceeds, remaining, suggested } from './size';

/** Guides through the creation of a Worker. */
export function NewWorkerPage() {
  const { t } = useTranslation('workers');
  const tenant = useTenantSlug();
  const plan = useTotals();
  const capabilities = useQuery(capabilitiesQuery);
  const error = failureOf(plan, capabilities);
  return (
    <>
      <PageHeader
        title={t('new.title')}
        text={t('new.text')}
        back={
          <AnchorLink to="/t/$tenant/workers" params={{ tenant }} className={classes.back}>
            <IconArrowLeft size={15} aria-hidden />
            {t('title')}
          </AnchorLink>
        }
      />
      {error ? (
        <ErrorPanel
          error={error}
          retry={() => {
            void plan.refetch();
            void capabilities.refetch();
          }}
        />
      ) : plan.data && capabilities.data ? (
        <NewWorkerForm plan={plan.data} capabilities={capabilities.data} />
      ) : (
        <Stack gap="lg" maw={760}>
          <Skeleton h={140} radius="lg" />
          <Skeleton h={360} radius="lg" />
        </Stack>
      )}
    </>
  );
}

interface Values {
  name: string;
  source: 'platform' | 'image';
  image: string;
  size: Size;
  isolation: Isolation;
}

const longestName = 60;

export function NewWorkerForm({ plan, capabilities }: { plan: TenantTotals; capabilities: Capabilities }) {
  const { t } = useTranslation('workers');
  const format = useFormat();
  const tenant = useTenantSlug();
  const navigate = useNavigate();
  const create = useCreateWorker();
  const choices = isolationChoices(capabilities, plan.limits);
  const left = remaining(plan.limits, plan.totals);
  const full = plan.totals.workers >= plan.limits.workers;
  const form = useForm<Values>({
    initialValues: {
      name: '',
      source: 'platform',
      image: '',
      size: suggested(left),
      isolation: firstPossible(choices),
    },
    validate: {
      name: (name) =>
        name.trim() === ''
          ? t('new.nameMissing')
          : [...name.trim()].length > longestName
            ? t('new.nameLong', { max: longestName })
            : null,
      image: (image, values) => (values.source === 'image' && image.trim() === '' ? t('new.imageMissing') : null),
    },
  });
  const { values } = form;
  const { release } = useLeaveGuard(form.isDirty() && !create.isSuccess);
  const over = exceeds(values.size, left);
  const wrongSize = Object.entries(form.errors).filter(([field]) => field.startsWith('size.'));

  const submit = form.onSubmit((v) =>
    create.mutate(
      {
        name: v.name.trim(),
        image: v.source === 'image' ? v.image.trim() : undefined,
        isolation: v.isolation,
        size: v.size,
      },
      {
        onSuccess: (worker) => {
          release();
          void navigate({ to: '/t/$tenant/workers/$workerId', params: { tenant, workerId: worker.id } });
        },
        onError: (error) => form.setErrors(fieldErrors(error)),
      },
    ),
  );

  return (
    <form onSubmit={submit} className={classes.layout}>
      <div className={classes.sections}>
        <Section number={1} title={t('new.name')} text={t('new.nameText')}>
          <TextInput
            label={t('new.nameLabel')}
            placeholder={t('new.namePlaceholder')}
            maxLength={longestName}
            autoFocus
            required
            {...form.getInputProps('name')}
          />
        </Section>
        <Section number={2} title={t('new.runs')} text={t('new.runsText')}>
          <Radio.Group aria-label={t('new.runs')} {...form.getInputProps('source')}>
            <Stack gap="sm">
              <Radio value="platform" label={t('new.platformImage')} description={t('new.platformImageText')} />
              <Radio
                value="image"
                label={t('new.ownImage')}
                description={capabilities.images ? t('new.ownImageText') : t('new.ownImageNot')}
                disabled={!capabilities.images}
              />
            </Stack>
          </Radio.Group>
          {values.source === 'image' && (
            <TextInput
              mt="md"
              label={t('new.image')}
              placeholder="registry.example.com/team/bot:1.4"
              required
              {...form.getInputProps('image')}
            />
          )}
        </Section>
        <Section
          number={3}
          title={t('new.size')}
          text={capabilities.live_resize ? t('new.sizeTextLive') : t('new.sizeText')}
        >
          <SizePicker value={values.size} onChange={(size) => form.setFieldValue('size', size)} plan={plan} />
          {wrongSize.map(([field, message]) => (
            <Text key={field} size="xs" c="var(--bad)" mt="xs">
              {message}
            </Text>
          ))}
        </Section>
        <Section number={4} title={t('new.isolation')} text={t('new.isolationText')}>
          <IsolationPicker
            value={values.isolation}
            onChange={(level) => form.setFieldValue('isolation', level)}
            choices={choices}
          />
          {form.errors.isolation && (
            <Text size="xs" c="var(--bad)" mt="xs">
              {form.errors.isolation}
            </Text>
          )}
        </Section>
      </div>
      <aside className={classes.summary} aria-label={t('new.summary')}>
        <Card>
          <Text fw={600} mb="sm" truncate>
            {values.name.trim() || t('new.unnamed')}
          </Text>
          <dl className={classes.facts}>
            <dt>{t('cpu')}</dt>
            <dd className="numeric">{format.cpu(values.size.cpu_millis)}</dd>
            <dt>{t('memory')}</dt>
            <dd className="numeric">{format.memory(values.size.memory_mib)}</dd>
            <dt>{t('disk')}</dt>
            <dd className="numeric">{format.disk(values.size.disk_gib)}</dd>
            <dt>{t('new.isolation')}</dt>
            <dd>{t(`isolation.${values.isolation}.name`)}</dd>
            <dt>{t('new.planWorkers', { plan: plan.plan })}</dt>
            <dd className="numeric">
              {t('new.ofWorkers', {
                value: format.number(plan.totals.workers + 1),
                limit: format.number(plan.limits.workers),
              })}
            </dd>
          </dl>
          {full && (
            <InlineError message={t('new.full', { limit: format.number(plan.limits.workers), plan: plan.plan })} />
          )}
          {!full && over.length > 0 && <InlineError message={t('new.over')} />}
          {create.error && <InlineError error={create.error} />}
          <Button type="submit" fullWidth mt="md" loading={create.isPending} disabled={full || over.length > 0}>
            {t('create')}
          </Button>
          <Text size="xs" c="dimmed" mt="sm" ta="center">
            {t('new.later')}
          </Text>
        </Card>
      </aside>
    </form>
  );
}

function Section({
  number,
  title,
  text,
  children,
}: {
  number: number;
  title: string;
  text: string;
  children: ReactNode;
}) {
  return (
    <Card component="section" aria-labelledby={`section-${number}`}>
      <Title order={2} id={`section-${number}`} className={classes.sectionTitle}>
        <span className={classes.number} aria-hidden>
          {number}
        </span>
        {title}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {text}
      </Text>
      {children}
    </Card>
  );
}
