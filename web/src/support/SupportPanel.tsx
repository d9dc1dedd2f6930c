import { Button, Card, Group, Select, Skeleton, Stack, Text, Textarea, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { afterwards } from '@/api/afterwards';
import type { Tenant } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { useMe } from '@/session/queries';
import { ErrorPanel, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { ButtonLink } from '@/ui/links';
import { useNow } from '@/ui/RelativeTime';
import { type Support, supportHistoryQuery, useEndSupport, useOpenSupport } from './queries';
import classes from './SupportPanel.module.css';

const durations = [15, 30, 60, 120, 240];

/** The operator's way into a company, and who took it before. */
export function SupportPanel({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation('support');
  const me = useMe();
  const now = useNow();
  const { data: sessions, error, refetch } = useQuery(supportHistoryQuery(tenant.slug));
  const mine = sessions?.find((s) => s.user_id === me.id && open(s, now));
  return (
    <Card component="section" aria-labelledby="support">
      <Title order={2} id="support">
        {t('panel.title')}
      </Title>
      <Text size="sm" c="dimmed" mb="md">
        {t('panel.text')}
      </Text>
      {error ? (
        <ErrorPanel error={error} retry={() => void refetch()} />
      ) : !sessions ? (
        <Skeleton h={160} />
      ) : (
        <Stack gap="lg">
          {mine ? <Inside tenant={tenant} session={mine} /> : <Open tenant={tenant} />}
          <History sessions={sessions} />
        </Stack>
      )}
    </Card>
  );
}

const open = (s: Support, now: number) => !s.ended_at && Date.parse(s.expires_at) > now;

function Inside({ tenant, session }: { tenant: Tenant; session: Support }) {
  const { t } = useTranslation('support');
  const format = useFormat();
  const end = useEndSupport(tenant.slug);
  return (
    <Stack gap="sm">
      <Text size="sm" fw={600}>
        {t('panel.active', { time: format.time(session.expires_at) })}
      </Text>
      {end.error && <InlineError error={end.error} />}
      <Group gap="sm">
        <ButtonLink to="/t/$tenant" params={{ tenant: tenant.slug }}>
          {t('panel.enter')}
        </ButtonLink>
        <Button variant="default" loading={end.isPending} onClick={() => end.mutate(session.id)}>
          {t('panel.end')}
        </Button>
      </Group>
    </Stack>
  );
}

function Open({ tenant }: { tenant: Tenant }) {
  const { t } = useTranslation('support');
  const navigate = useNavigate();
  const openSupport = useOpenSupport(tenant.slug);
  const form = useForm({
    initialValues: { reason: '', minutes: '60' },
    validate: { reason: (v) => (v.trim() === '' ? t('panel.reasonMissing') : null) },
  });
  return (
    <form
      noValidate
      onSubmit={form.onSubmit(({ reason, minutes }) =>
        afterwards(
          openSupport.mutateAsync(
            { reason: reason.trim(), minutes: Number(minutes) },
            { onError: (error) => form.setErrors(fieldErrors(error)) },
          ),
          () => void navigate({ to: '/t/$tenant', params: { tenant: tenant.slug } }),
        ),
      )}
    >
      <Stack gap="md">
        <Textarea
          label={t('panel.reason')}
          description={t('panel.reasonHelp')}
          placeholder={t('panel.reasonExample')}
          maxLength={500}
          autosize
          minRows={2}
          required
          {...form.getInputProps('reason')}
        />
        <Select
          label={t('panel.duration')}
          allowDeselect={false}
          data={durations.map((n) => ({ value: String(n), label: t('panel.minutes', { count: n }) }))}
          {...form.getInputProps('minutes')}
        />
        {openSupport.error && <InlineError error={openSupport.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={openSupport.isPending}>
            {t('panel.open')}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

function History({ sessions }: { sessions: Support[] }) {
  const { t } = useTranslation('support');
  const format = useFormat();
  const now = useNow();
  const state = (s: Support) => {
    if (open(s, now)) return t('panel.current', { time: format.time(s.expires_at) });
    return s.ended_by
      ? t('panel.byPerson', { time: format.time(s.ended_at ?? s.expires_at) })
      : t('panel.byTime', { time: format.time(s.expires_at) });
  };
  return (
    <div>
      <Title order={3} size="h5" mb="xs">
        {t('panel.history')}
      </Title>
      {sessions.length === 0 ? (
        <Text size="sm" c="dimmed">
          {t('panel.never')}
        </Text>
      ) : (
        <ul className={classes.history}>
          {sessions.slice(0, 5).map((s) => (
            <li key={s.id}>
              <strong>{s.reason}</strong>
              <span>
                {s.name} · {format.dateTime(s.created_at)} · {state(s)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
