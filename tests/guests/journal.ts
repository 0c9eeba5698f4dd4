// A guest in AssemblyScript: it keeps host objects in locals, passes them back, and gets new ones.

@external("journal", "open")
declare function open(lines: i32): externref;
@external("journal", "write")
declare function write(journal: externref, line: i32): void;
@external("journal", "merge")
declare function merge(a: externref, b: externref): externref;
@external("journal", "len")
declare function len(journal: externref): i32;

export function even_and_odd(count: i32): externref {
  const even = open(count), odd = open(count);
  for (let i = 0; i < count; i++) write(i % 2 ? odd : even, i);
  return merge(even, odd);
}

export function longer(a: externref, b: externref): externref {
  return len(a) >= len(b) ? a : b;
}
