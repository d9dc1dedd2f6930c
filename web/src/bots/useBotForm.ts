import { type UseFormInput, useForm } from '@mantine/form';
import { notifications } from '@mantine/notifications';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { isApiError } from '@/api/problem';
import type { Bot } from '@/api/resources';
import { fieldErrors } from '@/ui/forms';
import { useLeaveGuard } from '@/ui/LeaveGuard';
import { type BotChange, useUpdateBot } from './queries';

interface Options<V extends object> {
  bot: Bot;
  valuesOf: (bot: Bot) => V;
  /** What is sent to save the values over this version of the bot. */
  changeOf: (values: V, bot: Bot) => BotChange;
  validate?: UseFormInput<V>['validate'];
  /** API fields under other names in the form. */
  rename?: Record<string, string>;
  /** What the fields of the API begin with. */
  prefix?: string;
}

/**
 * A form over a bot's settings. It follows the bot while the person changes nothing, and shows both versions when
 * somebody else saved in the meantime.
 */
export function useBotForm<V extends object>({ bot, valuesOf, changeOf, validate, rename, prefix = '' }: Options<V>) {
  const { t } = useTranslation('ui');
  const update = useUpdateBot(bot.id);
  // The version that the form shows. While the person edits, it stays, so that saving over another's change is noticed.
  const [base, setBase] = useState(bot);
  const [conflict, setConflict] = useState<Bot | null>(null);
  const form = useForm<V>({ initialValues: valuesOf(bot), validate });
  const dirty = form.isDirty();
  useLeaveGuard(dirty);

  const adopt = (next: Bot) => {
    const values = valuesOf(next);
    setBase(next);
    form.setInitialValues(values);
    form.setValues(values);
    form.resetDirty(values);
  };

  // biome-ignore lint/correctness/useExhaustiveDependencies: only another version of the bot matters
  useEffect(() => {
    if (!dirty && bot.version > base.version) adopt(bot);
  }, [bot.version, dirty]);

  /** Saves over a version; gives the saved bot, or undefined when that failed. */
  const save = async (over: Bot = base): Promise<Bot | undefined> => {
    if (form.validate().hasErrors) return undefined;
    try {
      const saved = await update.mutateAsync({ version: over.version, change: changeOf(form.getValues(), over) });
      setConflict(null);
      adopt(saved);
      notifications.show({ message: t('saved') });
      return saved;
    } catch (error) {
      if (isApiError(error, 'version_mismatch')) {
        setConflict(await update.reread());
      } else {
        setConflict(null);
        const errors = fieldErrors(error, rename);
        form.setErrors(
          Object.fromEntries(
            Object.entries(errors).map(([k, v]) => [k.startsWith(prefix) ? k.slice(prefix.length) : k, v]),
          ),
        );
      }
      return undefined;
    }
  };

  return {
    form,
    dirty,
    saving: update.isPending,
    error: isApiError(update.error, 'version_mismatch') ? null : update.error,
    save,
    submit: (event?: React.FormEvent) => {
      event?.preventDefault();
      void save();
    },
    conflict: conflict && {
      theirs: conflict,
      keepTheirs: () => {
        adopt(conflict);
        setConflict(null);
      },
      keepMine: () => void save(conflict),
      close: () => setConflict(null),
    },
  };
}
