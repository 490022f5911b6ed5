/** The configuration of stores in rotate.yaml: what a secret's file looks like inside. Light: zod and pure code only. */
import { z } from 'zod';
import { parseTemplate } from './format/template.js';

/** See stores/format/template.ts for the syntax. */
export const templateSchema = z.string().superRefine((source, context) => {
  const parsed = parseTemplate(source);
  if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
});

const separator = z
  .string()
  .min(1, 'the text between the values of a list must not be empty')
  .max(8, 'the text between the values of a list is too long')
  .describe('The value leads a list, with this between the values; older ones stand behind it.');

/** A list has no place for the parts of a template. */
function notBoth<T extends z.ZodType<{ template?: string | undefined; list?: unknown }>>(schema: T) {
  return schema.refine(({ template, list }) => template === undefined || list === undefined, {
    error: '`template` and `list` exclude each other',
    path: ['list'],
  });
}

/** The whole file is the credential, or the template filled in. */
export const rawFormatSchema = z.strictObject({
  raw: z.literal(true),
  template: templateSchema.optional(),
  list: separator.optional(),
});

/** One variable of a systemd environment file is the credential, or the template filled in. */
export const envFormatSchema = z.strictObject({
  env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name is letters, digits and _'),
  template: templateSchema.optional(),
  list: separator.optional(),
});

const pathSchema = z
  .union([
    z.string().regex(/^[^.[\]]+(\.[^.[\]]+)*$/, 'a path is keys with dots between them, or a list of keys'),
    z.array(z.union([z.string().min(1), z.int().min(0)])).min(1),
  ])
  .describe('Where the value stands: `session.key`, or a list of keys and indexes.');
const inList = z.literal(true).describe('The value leads a list of texts; older ones stand behind it.');

/** One value of a JSON document. */
export const jsonFormatSchema = z.strictObject({
  json: pathSchema,
  template: templateSchema.optional(),
  list: inList.optional(),
});

/** One value of a YAML document. */
export const yamlFormatSchema = z.strictObject({
  yaml: pathSchema,
  template: templateSchema.optional(),
  list: inList.optional(),
});

/** `format` of a secret. The configuration's default is `raw`. */
export const formatSchema = z.union([
  z.literal('raw'),
  notBoth(rawFormatSchema),
  notBoth(envFormatSchema),
  notBoth(jsonFormatSchema),
  notBoth(yamlFormatSchema),
]);

export type Format = z.infer<typeof formatSchema>;
