import { Button, Group, Table, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Dialog } from '@/ui/Dialog';

export interface Difference {
  label: string;
  theirs: ReactNode;
  mine: ReactNode;
}

interface Props {
  differences: Difference[];
  busy?: boolean;
  onTheirs: () => void;
  onMine: () => void;
  onClose: () => void;
}

/** Two people changed the same thing: shows both versions, and lets this person choose. */
export function ConflictDialog({ differences, busy, onTheirs, onMine, onClose }: Props) {
  const { t } = useTranslation('ui');
  return (
    <Dialog onClose={onClose} title={t('conflict.title')} size="lg">
      <Text size="sm" c="dimmed" mb="md">
        {t('conflict.text')}
      </Text>
      <Table.ScrollContainer minWidth={0}>
        <Table>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>{t('conflict.field')}</Table.Th>
              <Table.Th>{t('conflict.theirs')}</Table.Th>
              <Table.Th>{t('conflict.mine')}</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {differences.map((d) => (
              <Table.Tr key={d.label}>
                <Table.Th scope="row" fw={500}>
                  {d.label}
                </Table.Th>
                <Table.Td>{d.theirs}</Table.Td>
                <Table.Td fw={600}>{d.mine}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Group justify="flex-end" mt="lg">
        <Button variant="default" onClick={onTheirs}>
          {t('conflict.keepTheirs')}
        </Button>
        <Button loading={busy} onClick={onMine}>
          {t('conflict.keepMine')}
        </Button>
      </Group>
    </Dialog>
  );
}
