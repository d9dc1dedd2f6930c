import { Button, Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCloudOff, IconLock, IconMapPinOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import classes from './errors.module.css';

const known = [
  'network', 'unauthenticated', 'forbidden', 'not_found', 'conflict', 'name_taken', 'quota_exceeded', 'version_mismatch',
  'too_large', 'rate_limited', 'unavailable', 'unsupported', 'invalid', 'internal',
] as const; // biome-ignore format: by kind
type Known = (typeof known)[number];

/** What happened and what to do about it, in the person's language; with the API's own words where they say more. */
export function useErrorText() {
  const { t } = useTranslation('ui');
  return (error: unknown): { title: string; detail?: string; requestId?: string } => {
    if (!isApiError(error)) return { title: t('error.unexpected') };
    const code = known.find((k): k is Known => k === error.code) ?? 'internal';
    const fields = error.fields.map((f) => `${f.field}: ${f.message}`).join('; ');
    const own = ['conflict', 'unsupported', 'invalid', 'quota_exceeded', 'too_large', 'unavailable'].includes(code);
    return {
      title: t(`error.${code}`, { seconds: error.retryAfter ?? 10 }),
      detail: own ? fields || error.message || undefined : undefined,
      requestId: code === 'internal' ? error.requestId : undefined,
    };
  };
}

/**
 * Why a page can't be shown, if so. That a page couldn't be read again (the network, a log-in that ended) is no reason
 * to take it away, with all that was typed in it; that the person may no longer see it is.
 */
export function failureOf(...reads: { data: unknown; error: unknown }[]): unknown {
  return reads.find((r) => r.error && (r.data === undefined || isApiError(r.error, 'forbidden', 'not_found')))?.error;
}

/** One line below a form or in a dialog. */
export function InlineError({ error, message }: { error?: unknown; message?: string }) {
  const text = useErrorText();
  const { t } = useTranslation('ui');
  const said = message === undefined ? text(error) : { title: message };
  return (
    <div className={classes.inline} role="alert">
      <IconAlertTriangle size={18} stroke={1.8} aria-hidden />
      <div>
        <div>{said.title}</div>
        {said.detail && <div className={classes.detail}>{said.detail}</div>}
        {said.requestId && <div className={classes.detail}>{t('error.request', { id: said.requestId })}</div>}
      </div>
    </div>
  );
}

/** In the place of what could not be read. */
export function ErrorPanel({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = useTranslation('ui');
  const { title, detail, requestId } = useErrorText()(error);
  const Icon = isApiError(error, 'network')
    ? IconCloudOff
    : isApiError(error, 'forbidden')
      ? IconLock
      : isApiError(error, 'not_found')
        ? IconMapPinOff
        : IconAlertTriangle;
  return (
    <div className={classes.panel} role="alert">
      <Icon size={28} stroke={1.5} aria-hidden />
      <Stack gap={4} align="center">
        <Text fw={600}>{title}</Text>
        {detail && (
          <Text size="sm" c="dimmed" ta="center">
            {detail}
          </Text>
        )}
        {requestId && (
          <Text size="xs" c="dimmed">
            {t('error.request', { id: requestId })}
          </Text>
        )}
      </Stack>
      {retry && (
        <Group>
          <Button variant="default" onClick={retry}>
            {t('retry')}
          </Button>
        </Group>
      )}
    </div>
  );
}
