import { type CSSVariablesResolver, createTheme, type MantineColorsTuple, mergeThemeOverrides } from '@mantine/core';

const cobalt: MantineColorsTuple = [
  '#eef2ff', '#dbe4ff', '#b9c8fb', '#93a9f4', '#6f8aec', '#4a69dd', '#2f50c9', '#2743ab', '#20378c', '#1a2c6e',
]; // biome-ignore format: one line

const gray: MantineColorsTuple = [
  '#f6f7f9', '#eef0f4', '#e3e6ec', '#d2d7e0', '#b3bac7', '#8a93a5', '#667085', '#4b5468', '#323a4b', '#1b2130',
]; // biome-ignore format: one line

const dark: MantineColorsTuple = [
  '#e7eaf0', '#c3c9d5', '#9aa3b4', '#737d90', '#4d5668', '#353d4c', '#272e3b', '#171c25', '#0e1116', '#090b0f',
]; // biome-ignore format: one line

/** White is read well on the shades that buttons are filled with. */
const red: MantineColorsTuple = [
  '#fef1f0', '#fde0dd', '#f9bfb9', '#f59c93', '#ee7468', '#cf3a2d', '#b42318', '#971c13', '#7c1710', '#5e120d',
]; // biome-ignore format: one line

// The header of a dialog is none of the page: without this it would be a second banner.
const headless = { header: { role: 'presentation' } };

// What opens over the page belongs to the page's landmark: elsewhere readers that go from one to the next pass over it.
const within = { target: '#content' };

/** The look of the product: quiet surfaces, one accent, and colours of states that mean the same everywhere. */
export const theme = createTheme({
  primaryColor: 'cobalt',
  primaryShade: { light: 6, dark: 5 },
  colors: { cobalt, gray, dark, red },
  black: '#1b2130',
  fontFamily: "'Inter Variable', system-ui, -apple-system, 'Segoe UI', sans-serif",
  fontFamilyMonospace: "ui-monospace, 'SF Mono', 'Cascadia Code', Menlo, Consolas, monospace",
  headings: {
    fontWeight: '650',
    sizes: {
      h1: { fontSize: '1.5rem', lineHeight: '1.3' },
      h2: { fontSize: '1.0625rem', lineHeight: '1.4' },
      h3: { fontSize: '0.9375rem', lineHeight: '1.4' },
    },
  },
  fontSizes: { xs: '0.75rem', sm: '0.8125rem', md: '0.875rem', lg: '1rem', xl: '1.125rem' },
  lineHeights: { xs: '1.4', sm: '1.45', md: '1.5', lg: '1.55', xl: '1.6' },
  radius: { xs: '4px', sm: '6px', md: '8px', lg: '12px', xl: '16px' },
  defaultRadius: 'md',
  cursorType: 'pointer',
  respectReducedMotion: true,
  shadows: {
    xs: '0 1px 2px rgb(20 26 40 / 6%)',
    sm: '0 1px 3px rgb(20 26 40 / 8%), 0 1px 2px rgb(20 26 40 / 4%)',
    md: '0 6px 16px -4px rgb(20 26 40 / 12%), 0 2px 4px rgb(20 26 40 / 5%)',
    lg: '0 16px 40px -8px rgb(20 26 40 / 18%)',
  },
  // Plain objects: a component that is named here would be loaded with the first page, used or not.
  components: {
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray' } },
    Badge: {
      defaultProps: { variant: 'light', radius: 'sm' },
      styles: { label: { textTransform: 'none' } },
    },
    Button: { defaultProps: { size: 'sm' }, styles: { label: { fontWeight: 550 } } },
    Card: { defaultProps: { withBorder: true, padding: 'lg', radius: 'lg' } },
    Menu: {
      defaultProps: {
        shadow: 'md',
        radius: 'md',
        withinPortal: true,
        portalProps: within,
        withInitialFocusPlaceholder: false,
      },
    },
    Modal: {
      defaultProps: { centered: true, radius: 'lg', padding: 'lg', attributes: headless },
      styles: { title: { fontWeight: 650, fontSize: '1.0625rem' } },
    },
    NumberInput: { defaultProps: { size: 'sm' } },
    Paper: { defaultProps: { radius: 'lg' } },
    PasswordInput: { defaultProps: { size: 'sm' } },
    Select: { defaultProps: { size: 'sm', checkIconPosition: 'right' } },
    SegmentedControl: { styles: { root: { backgroundColor: 'var(--surface-sunken)' } } },
    Skeleton: { defaultProps: { radius: 'sm' } },
    Table: { defaultProps: { verticalSpacing: 'sm' } },
    Tabs: { defaultProps: { keepMounted: false } },
    Textarea: { defaultProps: { size: 'sm' } },
    TextInput: { defaultProps: { size: 'sm' } },
    Tooltip: { defaultProps: { openDelay: 300, withArrow: false, radius: 'sm' } },
  },
});

/** The theme with the words that the component library says by itself. */
export function themeWith(words: { close: string; showPassword: string; remove: string }) {
  const close = { closeButtonProps: { 'aria-label': words.close } };
  return mergeThemeOverrides(theme, {
    components: {
      Drawer: { defaultProps: { ...close, attributes: headless } },
      Modal: { defaultProps: close },
      Notification: { defaultProps: close },
      PasswordInput: { defaultProps: { visibilityToggleButtonProps: { 'aria-label': words.showPassword } } },
      Pill: { defaultProps: { removeButtonProps: { 'aria-label': words.remove } } },
      Select: { defaultProps: { clearButtonProps: { 'aria-label': words.remove } } },
    },
  });
}

/** Surfaces, text and states beyond what the component library has. Every text colour keeps 4.5:1 on its surface. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-body': '#f6f7f9',
    '--mantine-color-dimmed': '#5a6375',
    '--mantine-color-placeholder': '#6b7486',
    '--mantine-color-error': '#b42318',
    '--surface': '#ffffff',
    '--surface-sunken': '#f0f2f5',
    '--surface-hover': '#f3f5f8',
    '--line': '#e3e6ec',
    '--line-strong': '#cfd5df',
    '--accent-text': '#2743ab',
    '--accent-soft': '#eef2ff',
    '--ok': '#0d7a4f', '--ok-soft': '#e4f5ec', '--ok-line': '#159a65',
    '--warn': '#8f5200', '--warn-soft': '#fdf1dc', '--warn-line': '#d98a14',
    '--bad': '#b42318', '--bad-soft': '#fdeceb', '--bad-line': '#dc4437',
    '--busy': '#1f5fa8', '--busy-soft': '#e6f0fb', '--busy-line': '#3b82d0',
    '--off': '#566074', '--off-soft': '#eceff3', '--off-line': '#98a2b3',
  },
  dark: {
    '--mantine-color-body': '#0e1116',
    '--mantine-color-dimmed': '#98a2b3',
    '--mantine-color-placeholder': '#8b95a7',
    '--mantine-color-error': '#ff9389',
    '--surface': '#161b23',
    '--surface-sunken': '#0b0e12',
    '--surface-hover': '#1d232d',
    '--line': '#272e3a',
    '--line-strong': '#3a4353',
    '--accent-text': '#a9bbfa',
    '--accent-soft': '#1c2644',
    '--ok': '#5fd3a0', '--ok-soft': '#12301f', '--ok-line': '#2fae77',
    '--warn': '#f2bd62', '--warn-soft': '#35280f', '--warn-line': '#d0912c',
    '--bad': '#ff9389', '--bad-soft': '#3a1714', '--bad-line': '#e2584c',
    '--busy': '#86b9f2', '--busy-soft': '#13273f', '--busy-line': '#4a90dc',
    '--off': '#a3adbd', '--off-soft': '#222833', '--off-line': '#667085',
  },
}); // biome-ignore format: groups of three
