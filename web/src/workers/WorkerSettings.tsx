import { Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import type { Capabilities, TenantTotals, Worker } from '@/api/resources';
import { capabilitiesQuery, usePermissions, useTotals } from '@/tenants/queries';
import { ConflictDialog } from '@/ui/ConflictDialog';
import { ErrorPanel, failureOf, InlineError } from '@/ui/errors';
import { fieldErrors } from '@/ui/forms';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { IsolationPicker } from './IsolationPicker';
import { isolationChoices } from './isolation';
import { useUpdateWorker } from './queries';
import { ResizeWorker } from './ResizeWorker';
import classes from './WorkerSettings.module.css';

/** What can be changed about a Worker. */
export function WorkerSettings({ worker, onDelete }: { worker: Worker; onDelete: () => void }) {
  const { t } = useTranslation('workers');
  const may = usePermissions();
  const plan = useTotals();
  const capabilities = useQuery(capabilitiesQuery);
  const error = failureOf(plan, capabilities);
  if (error)
    return <ErrorPanel error={error} retry={() => void Promise.all([plan.refetch(), capabilities.refetch()])} />;
  if (!plan.data || !capabilities.data) return null;
  if (!may.changeWorkers) {
    return (
      <Card>
        <Text c="dimmed">{t('settings.notAllowed')}</Text>
      </Card>
    );
  }
  return (
    <div className={classes.root}>
      <General worker={worker} plan={plan.data} capabilities={capabilities.data} />
      <ResizeWorker worker={worker} plan={plan.data} capabilities={capabilities.data} />
      <Card component="section" aria-labelledby="danger" className={classes.danger}>
        <Group justify="space-between" gap="md">
          <div className={classes.dangerText}>
            <Title order={2} id="danger">
              {t('settings.delete')}
            </Title>
            <Text size="sm" c="dimmed">
              {t('settings.deleteText')}
            </Text>
          </div>
          <Button variant="default" c="var(--bad)" disabled={worker.desired === 'deleted'} onClick={onDelete}>
            {t('action.delete')}
          </Button>
        </Group>
      </Card>
    </div>
  );
}

interface Values {
  name: string;
  image: string;
  isolation: Worker['isolation'];
}

const valuesOf = (w: Worker): Values => ({ name: w.name, image: w.image ?? '', isolation: w.isolation });

function General({ worker, plan, capabilities }: { worker: Worker; plan: TenantTotals; capabilities: Capabilities }) {
  const { t } = useTranslation(['workers', 'ui']);
  const update = useUpdateWorker(worker.id);
  // The version that the form shows. While the person edits, it stays, so that saving over another's change is noticed.
  const [base, setBase] = useState(worker);
  const [conflict, setConflict] = useState<Worker | null>(null);
  const form = useForm<Values>({ initialValues: valuesOf(worker) });
  const dirty = form.isDirty();
  useLeaveGuard(dirty);

  // biome-ignore lint/correctness/useExhaustiveDependencies: only another version of the Worker matters
  useEffect(() => {
    if (dirty || worker.version === base.version) return;
    setBase(worker);
    adopt(worker);
  }, [worker.version, dirty]);

  const adopt = (w: Worker) => {
    form.setInitialValues(valuesOf(w));
    form.setValues(valuesOf(w));
    form.resetDirty(valuesOf(w));
  };

  const save = (version: number) => {
    const { name, image, isolation } = form.getValues();
    const from = valuesOf(base);
    update.mutate(
      {
        version,
        change: {
          name: name.trim() !== from.name ? name.trim() : undefined,
          image: image.trim() !== from.image ? image.trim() : undefined,
          isolation: isolation !== from.isolation ? isolation : undefined,
        },
      },
      {
        onSuccess: (saved) => {
          setConflict(null);
          setBase(saved);
          adopt(saved);
          notifications.show({ message: t('ui:saved') });
        },
        onError: async (error) => {
          if (isApiError(error, 'version_mismatch')) setConflict(await update.reread());
          else {
            setConflict(null);
            form.setErrors(fieldErrors(error));
          }
        },
      },
    );
  };

  const choices = isolationChoices(capabilities, plan.limits);
  const restarts = form.values.image.trim() !== (base.image ?? '') || form.values.isolation !== base.isolation;
  return (
    <Card component="section" aria-labelledby="general">
      <Title order={2} id="general" mb="md">
        {t('settings.general')}
      </Title>
      <form onSubmit={form.onSubmit(() => save(base.version))}>
        <Stack gap="lg">
          <TextInput label={t('new.nameLabel')} maxLength={60} required {...form.getInputProps('name')} />
          <TextInput
            label={t('imageLabel')}
            description={capabilities.images ? t('settings.imageHelp') : t('new.ownImageNot')}
            placeholder={t('new.platformImage')}
            disabled={!capabilities.images}
            {...form.getInputProps('image')}
          />
          <div>
            <Text size="sm" fw={500} mb={6}>
              {t('isolation.label')}
            </Text>
            <IsolationPicker
              value={form.values.isolation}
              onChange={(level) => form.setFieldValue('isolation', level)}
              choices={choices}
            />
          </div>
          {restarts && <Text className={classes.note}>{t('settings.restarts')}</Text>}
          {update.error && !isApiError(update.error, 'version_mismatch') && <InlineError error={update.error} />}
          <Group justify="flex-end">
            <Button variant="default" disabled={!dirty} onClick={() => form.reset()}>
              {t('settings.discard')}
            </Button>
            <Button type="submit" disabled={!dirty} loading={update.isPending}>
              {t('ui:save')}
            </Button>
          </Group>
        </Stack>
      </form>
      {conflict && (
        <ConflictDialog
          busy={update.isPending}
          differences={differences(conflict, form.getValues(), {
            name: t('new.nameLabel'),
            image: t('imageLabel'),
            isolation: t('isolation.label'),
            platform: t('new.platformImage'),
            level: (level) => t(`isolation.${level}.name`),
          })}
          onClose={() => setConflict(null)}
          onTheirs={() => {
            setBase(conflict);
            adopt(conflict);
            setConflict(null);
          }}
          onMine={() => save(conflict.version)}
        />
      )}
    </Card>
  );
}

function differences(
  theirs: Worker,
  mine: Values,
  say: { name: string; image: string; isolation: string; platform: string; level: (l: Worker['isolation']) => string },
) {
  const saved = valuesOf(theirs);
  return [
    { label: say.name, theirs: saved.name, mine: mine.name.trim() },
    { label: say.image, theirs: saved.image || say.platform, mine: mine.image.trim() || say.platform },
    { label: say.isolation, theirs: say.level(saved.isolation), mine: say.level(mine.isolation) },
  ].filter((d) => d.theirs !== d.mine);
}
