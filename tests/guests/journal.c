// A guest in C: it keeps host objects in a table, passes them back, and gets new ones.

#define IMPORT(name) __attribute__((import_module("journal"), import_name(#name)))
#define EXPORT(name) __attribute__((export_name(#name)))

IMPORT(open) extern __externref_t journal_open(int lines);
IMPORT(write) extern void journal_write(__externref_t journal, int line);
IMPORT(merge) extern __externref_t journal_merge(__externref_t a, __externref_t b);
IMPORT(len) extern int journal_len(__externref_t journal);

static __externref_t held[0]; // A table: host objects are not bytes.

static void hold(__externref_t first, __externref_t second) {
  if (__builtin_wasm_table_size(held) == 0) __builtin_wasm_table_grow(held, __builtin_wasm_ref_null_extern(), 2);
  __builtin_wasm_table_set(held, 0, first);
  __builtin_wasm_table_set(held, 1, second);
}

EXPORT(even_and_odd) __externref_t even_and_odd(int count) {
  hold(journal_open(count), journal_open(count));
  for (int i = 0; i < count; i++) journal_write(__builtin_wasm_table_get(held, i % 2), i);
  return journal_merge(__builtin_wasm_table_get(held, 0), __builtin_wasm_table_get(held, 1));
}

// Clang cannot choose between two references by a condition, but between two indices.
EXPORT(longer) __externref_t longer(__externref_t a, __externref_t b) {
  hold(a, b);
  return __builtin_wasm_table_get(held, journal_len(a) < journal_len(b));
}
