import { MultiSelect, Radio, Stack, Switch } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Role } from '@/api/resources';
import { useFormat } from '@/i18n/format';
import { usePermissions } from '@/tenants/queries';
import { useWorkers } from '@/workers/queries';

export interface Access {
  role: Role;
  limited: boolean;
  worker_ids: string[];
}

const roles: Role[] = ['owner', 'admin', 'operator', 'viewer'];

/** What is wrong with an access, by field. */
export const accessProblem = ({ role, limited, worker_ids }: Access): 'none' | undefined =>
  role !== 'owner' && limited && worker_ids.length === 0 ? 'none' : undefined;

/** Owners see every Worker, whatever was chosen before. */
export const workersOf = ({ role, limited, worker_ids }: Access): string[] =>
  role === 'owner' || !limited ? [] : worker_ids;

interface Props {
  value: Access;
  onChange: (access: Access) => void;
  error?: React.ReactNode;
}

/** What a person may do, in plain words, and which Workers they see. */
export function AccessFields({ value, onChange, error }: Props) {
  const { t } = useTranslation(['team', 'tenants']);
  const format = useFormat();
  const may = usePermissions();
  const { data: workers } = useWorkers();
  const giveable = roles.filter((role) => role !== 'owner' || may.role === 'owner');
  return (
    <Stack gap="md">
      <Radio.Group label={t('role')} value={value.role} onChange={(role) => onChange({ ...value, role: role as Role })}>
        <Stack gap="sm" mt="xs">
          {giveable.map((role) => (
            <Radio key={role} value={role} label={t(`tenants:role.${role}`)} description={t(`roles.${role}`)} />
          ))}
        </Stack>
      </Radio.Group>
      {value.role !== 'owner' && (
        <Stack gap="xs">
          <Switch
            label={t('limit')}
            description={t('limitText')}
            checked={value.limited}
            onChange={(e) => onChange({ ...value, limited: e.currentTarget.checked })}
          />
          {value.limited && (
            <MultiSelect
              aria-label={t('limitWorkers')}
              placeholder={value.worker_ids.length === 0 ? t('limitWorkers') : undefined}
              searchable
              data={(workers ?? [])
                .filter((w) => w.desired !== 'deleted')
                .sort((a, b) => format.compare(a.name, b.name))
                .map((w) => ({ value: w.id, label: w.name }))}
              value={value.worker_ids}
              onChange={(worker_ids) => onChange({ ...value, worker_ids })}
              error={error}
            />
          )}
        </Stack>
      )}
    </Stack>
  );
}
