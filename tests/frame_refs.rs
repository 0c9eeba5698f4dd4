//! References in frames of guests, while objects move: whatever holds one across a call holds the
//! same object after it.

mod support;

use hostref::{ExternRef, Func, Result, Rooted, Trap, UpdateDeadline};
use support::{Mode, World, both_modes, export, id};

both_modes! {
    references_stay_good_in_locals,
    references_stay_good_on_the_operand_stack,
    references_stay_good_as_loop_parameters,
    references_stay_good_through_branches,
    references_stay_good_in_results_of_guest_functions,
    references_stay_good_in_stack_arguments,
    references_stay_good_across_growing_memories_and_tables,
    references_stay_good_in_deep_recursion,
    references_stay_good_through_tail_calls,
    references_stay_good_through_indirect_calls,
    references_stay_good_in_frames_of_several_modules,
    references_stay_good_in_tables,
    references_stay_good_in_globals,
    references_stay_good_while_an_epoch_callback_collects,
    frames_that_a_trap_ended_keep_nothing,
}

fn references_stay_good_in_locals(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(func (export "run") (result i32) (local $a externref) (local $b externref)
            (local $c externref)
            (local.set $a (call $make))
            (local.set $b (call $make))
            (local.set $c (local.get $a))
            (call $churn)
            (if (i32.eqz (call $id (local.get $a)))
                (then (local.set $a (call $make)) (call $churn))
                (else (unreachable)))
            (i32.add
                (i32.mul (i32.const 100) (call $id (local.get $a)))
                (i32.add
                    (i32.mul (i32.const 10) (call $id (local.get $b)))
                    (call $id (local.get $c)))))"#,
    )?;
    assert_eq!(found, 210);
    Ok(())
}

fn references_stay_good_on_the_operand_stack(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(func $digits (param externref externref externref externref) (result i32)
            (i32.add (i32.mul (i32.const 1000) (call $id (local.get 0)))
            (i32.add (i32.mul (i32.const 100) (call $id (local.get 1)))
            (i32.add (i32.mul (i32.const 10) (call $id (local.get 2)))
                (call $id (local.get 3))))))
        (func (export "run") (result i32)
            call $make
            call $make
            call $churn
            call $make
            (if (param externref) (result externref externref) (i32.const 1)
                (then (call $make) (call $churn))
                (else (unreachable)))
            call $churn
            call $digits)"#,
    )?;
    assert_eq!(found, 123);
    Ok(())
}

fn references_stay_good_as_loop_parameters(mode: Mode) -> Result<()> {
    // Two references change places 101 times.
    let found = World::new(mode)?.run(
        r#"(func $swap (param externref externref) (result externref externref)
            (local.get 1) (local.get 0))
        (func (export "run") (result i32) (local $n i32) (local $b externref)
            call $make
            call $make
            (loop $again (param externref externref) (result externref externref)
                call $churn
                call $swap
                (br_if $again
                    (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                        (i32.const 101))))
            local.set $b
            (i32.mul (call $id) (i32.const 10))
            (i32.add (call $id (local.get $b))))"#,
    )?;
    assert_eq!(found, 10);
    Ok(())
}

fn references_stay_good_through_branches(mode: Mode) -> Result<()> {
    let fields = |number: u32| {
        format!(
            r#"(func $pick (param $n i32) (param $a externref) (param $b externref)
                (result externref)
                (block $2 (result externref)
                    (block $1 (result externref)
                        (block $0 (result externref)
                            (local.get $b)
                            (br_table $0 $1 $2 (local.get $n)))
                        (call $churn)
                        (drop)
                        (return (local.get $a)))
                    (call $churn))
                (call $churn)
                (select (result externref) (local.get $a) (i32.eq (local.get $n) (i32.const 2)))
                (call $churn))
            (func (export "run") (result i32)
                (call $id (call $pick (i32.const {number}) (call $make) (call $make))))"#
        )
    };
    for (number, found) in [(0, 0), (1, 0), (2, 1), (3, 0)] {
        // 2 leaves `b` on the stack, which the selection takes; the others take `a`.
        assert_eq!(World::new(mode)?.run(&fields(number))?, found, "label {number}");
    }
    Ok(())
}

fn references_stay_good_in_results_of_guest_functions(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(func $many (param externref)
            (result externref i32 externref i64 externref f64 externref externref externref)
            (local.get 0) (i32.const 1) (call $make) (i64.const 2) (call $make) (f64.const 3)
            (call $make) (local.get 0) (call $make)
            (call $churn))
        (func (export "run") (result i32) (local externref externref externref externref externref)
            (call $many (call $make))
            call $churn
            local.set 0 local.set 1 local.set 2 drop local.set 3 drop local.set 4 drop
            (call $id)
            (i32.add (i32.mul (i32.const 10) (call $id (local.get 4))))
            (i32.add (i32.mul (i32.const 100) (call $id (local.get 3))))
            (i32.add (i32.mul (i32.const 1000) (call $id (local.get 2))))
            (i32.add (i32.mul (i32.const 10000) (call $id (local.get 1))))
            (i32.add (i32.mul (i32.const 100000) (call $id (local.get 0)))))"#,
    )?;
    assert_eq!(found, 403_210);
    Ok(())
}

fn references_stay_good_in_stack_arguments(mode: Mode) -> Result<()> {
    // More parameters than registers, references at odd places.
    let params: Vec<String> = (0..20)
        .map(|index| if index % 3 == 0 { "(param externref)" } else { "(param i32)" }.into())
        .collect();
    let args: Vec<String> = (0..20)
        .map(|index| match index % 3 {
            0 => "(call $make)".into(),
            _ => format!("(i32.const {})", index * 1000),
        })
        .collect();
    let sum: Vec<String> = (0..20)
        .map(|index| match index % 3 {
            0 => format!(
                "(call $churn) (i32.add (i32.mul (i32.const {}) (call $id (local.get {index}))))",
                index + 1
            ),
            _ => format!("(i32.add (local.get {index}))"),
        })
        .collect();
    let fields = format!(
        r#"(func $take {} (result i32) (i32.const 0) {sum} {sum})
        (func (export "run") (result i32) (call $take {}))"#,
        params.join(" "),
        args.join(" "),
        sum = sum.join(" "),
    );
    let expected: i32 = (0..20)
        .map(|index| if index % 3 == 0 { (index + 1) * (index / 3) } else { index * 1000 })
        .sum();
    assert_eq!(World::new(mode)?.run(&fields)?, 2 * expected);
    Ok(())
}

fn references_stay_good_across_growing_memories_and_tables(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(memory 1 100) (table $refs 1 1000 externref) (table $funcs 0 100 funcref)
        (func (export "run") (result i32) (local $a externref) (local $n i32)
            (local.set $a (call $make))
            (call $make)
            (loop $again
                (drop (memory.grow (i32.const 1)))
                (drop (table.grow $refs (local.get $a) (i32.const 10)))
                (drop (table.grow $funcs (ref.null func) (i32.const 1)))
                (call $churn)
                (br_if $again
                    (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                        (i32.const 50))))
            (call $id)
            (i32.add (i32.mul (i32.const 10) (call $id (local.get $a))))
            (i32.add (i32.mul (i32.const 100)
                (call $id (table.get $refs (i32.const 500))))))"#,
    )?;
    assert_eq!(found, 1);
    Ok(())
}

fn references_stay_good_in_deep_recursion(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(func $down (param $n i32) (param $top externref) (result i32) (local $own externref)
            (if (i32.eqz (local.get $n))
                (then (call $churn) (return (call $id (local.get $top)))))
            (local.set $own (call $make))
            (call $down (i32.sub (local.get $n) (i32.const 1)) (local.get $own))
            (i32.add (call $id (local.get $own)))
            (i32.sub (call $id (local.get $top))))
        (func (export "run") (result i32) (call $down (i32.const 100) (call $make)))"#,
    )?;
    // Each frame adds 1, the difference of two neighbours; the innermost object has number 100.
    assert_eq!(found, 200);
    Ok(())
}

fn references_stay_good_through_tail_calls(mode: Mode) -> Result<()> {
    let many = "(param externref i64 externref i64 externref i64 externref i64 externref i64)";
    let found = World::new(mode)?.run(&format!(
        r#"(type $many (func {many} (result i32)))
        (table funcref (elem $last))
        (func $last {many} (result i32)
            (call $churn)
            (i32.add (i32.mul (i32.const 10000) (call $id (local.get 0)))
            (i32.add (i32.mul (i32.const 1000) (call $id (local.get 2)))
            (i32.add (i32.mul (i32.const 100) (call $id (local.get 4)))
            (i32.add (i32.mul (i32.const 10) (call $id (local.get 6)))
                (call $id (local.get 8)))))))
        (func $middle (param $a externref) (param $b externref) (result i32)
            (call $churn)
            (return_call_indirect (type $many)
                (local.get $b) (i64.const 1) (call $make) (i64.const 2) (local.get $a) (i64.const 3)
                (call $make) (i64.const 4) (local.get $b) (i64.const 5)
                (i32.const 0)))
        (func $first (param $a externref) (result i32)
            (return_call $middle (local.get $a) (call $make)))
        (func (export "run") (result i32) (local $a externref)
            (local.set $a (call $make))
            (call $first (call $make))
            (i32.add (i32.mul (i32.const 100000) (call $id (local.get $a)))))"#
    ))?;
    assert_eq!(found, 23_142);
    Ok(())
}

fn references_stay_good_through_indirect_calls(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(table funcref (elem $make $other))
        (type $f (func (result externref)))
        (func $other (result externref) (call $churn) (call $make))
        (func (export "run") (result i32) (local $a externref) (local $b externref)
            (local.set $a (call_indirect (type $f) (i32.const 0)))
            (local.set $b (call_indirect (type $f) (i32.const 1)))
            (call $churn)
            (i32.add (i32.mul (i32.const 10) (call $id (local.get $a))) (call $id (local.get $b))))"#,
    )?;
    assert_eq!(found, 1);
    Ok(())
}

fn references_stay_good_in_frames_of_several_modules(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let inner = world.guest(
        r#"(func (export "inner") (param externref) (result externref) (local externref)
            (local.set 1 (call $make))
            (call $churn)
            (drop (call $id (local.get 1)))
            (local.get 0))"#,
    )?;
    world.linker.instance(&mut world.store, "inner", inner)?;
    let found = world.run(
        r#"(import "inner" "inner" (func $inner (param externref) (result externref)))
        (func (export "run") (result i32) (local $a externref) (local $b externref)
            (local.set $a (call $make))
            (local.set $b (call $inner (call $inner (call $make))))
            (i32.add (i32.mul (i32.const 10) (call $id (local.get $a))) (call $id (local.get $b))))"#,
    )?;
    assert_eq!(found, 1);
    Ok(())
}

fn references_stay_good_in_tables(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(table $t 10 externref) (table $u 10 20 externref)
        (elem $nulls externref (ref.null extern) (ref.null extern))
        (func $at (param i32) (result i32) (call $id (table.get $u (local.get 0))))
        (func (export "run") (result i32)
            (table.set $t (i32.const 0) (call $make))
            (table.fill $t (i32.const 1) (call $make) (i32.const 3))
            (call $churn)
            (table.copy $t $t (i32.const 2) (i32.const 0) (i32.const 4))
            (table.copy $u $t (i32.const 5) (i32.const 1) (i32.const 5))
            (call $churn)
            (table.init $u $nulls (i32.const 6) (i32.const 0) (i32.const 1))
            (drop (table.grow $u (call $make) (i32.const 2)))
            (call $churn)
            ;; $u from 5 on: 1, null, 1, 1, 1, then 2, 2
            (i32.add (call $at (i32.const 5)) (i32.mul (i32.const 10) (call $at (i32.const 6))))
            (i32.add (i32.mul (i32.const 100) (call $at (i32.const 7))))
            (i32.add (i32.mul (i32.const 1000) (call $at (i32.const 9))))
            (i32.add (i32.mul (i32.const 10000) (call $at (i32.const 11)))))"#,
    )?;
    assert_eq!(found, 1 - 10 + 100 + 1000 + 20_000);
    Ok(())
}

fn references_stay_good_in_globals(mode: Mode) -> Result<()> {
    let found = World::new(mode)?.run(
        r#"(global $a (mut externref) (ref.null extern)) (global $n (mut i32) (i32.const 65544))
        (global $b (mut externref) (ref.null extern))
        (func (export "run") (result i32)
            (global.set $a (call $make))
            (global.set $b (call $make))
            (call $churn)
            (global.get $a)
            (global.set $a (global.get $b))
            (call $churn)
            (global.set $b)
            (i32.add (i32.mul (i32.const 10) (call $id (global.get $a)))
                (call $id (global.get $b)))
            (i32.add (i32.sub (global.get $n) (i32.const 65544))))"#,
    )?;
    assert_eq!(found, 10);
    Ok(())
}

fn references_stay_good_while_an_epoch_callback_collects(mode: Mode) -> Result<()> {
    let mut config = mode.config();
    let mut world = World::with(&hostref::Engine::new(config.epoch_interruption(true))?)?;
    world.store.epoch_deadline_callback(|mut store| {
        ExternRef::new(&mut store, "garbage")?;
        store.gc();
        Ok(UpdateDeadline::Continue(0))
    });
    let found = world.run(
        r#"(func $same (param externref externref i32) (result externref)
            (select (result externref) (local.get 0) (local.get 1) (local.get 2)))
        (func (export "run") (result i32) (local $a externref) (local $n i32)
            (local.set $a (call $make))
            (call $make)
            (loop $again (param externref) (result externref)
                (local.set $a (call $same (local.get $a) (ref.null extern) (i32.const 1)))
                (br_if $again
                    (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1)))
                        (i32.const 100))))
            (i32.mul (call $id) (i32.const 10))
            (i32.add (call $id (local.get $a))))"#,
    )?;
    assert_eq!(found, 10);
    Ok(())
}

fn frames_that_a_trap_ended_keep_nothing(mode: Mode) -> Result<()> {
    let mut world = World::new(mode)?;
    let fail = Func::wrap(&mut world.store, |_: Rooted<ExternRef>| -> Result<()> {
        Err(anyhow::anyhow!("refused"))
    });
    world.linker.define(&world.store, "", "fail", fail)?;
    let guest = world.guest(
        r#"(import "" "fail" (func $fail (param externref)))
        (memory 1)
        (func $deep (param $how i32) (param externref) (local $own externref)
            (local.set $own (call $make))
            (call $churn)
            (if (i32.eq (local.get $how) (i32.const 0)) (then (unreachable)))
            (if (i32.eq (local.get $how) (i32.const 1))
                (then (drop (i32.load (i32.const -1)))))
            (if (i32.eq (local.get $how) (i32.const 2)) (then (call $fail (local.get $own))))
            (drop (call $id (local.get $own)))
            (drop (call $id (local.get 1))))
        (func (export "run") (param $how i32) (local $own externref)
            (local.set $own (call $make))
            (call $deep (local.get $how) (call $make))
            (drop (call $id (local.get $own))))"#,
    )?;
    let run = export::<u32, ()>(&mut world.store, guest, "run")?;
    let kept = world.census.root(&mut world.store)?;
    for how in [0, 1, 2, 3, 2, 1, 0] {
        let outcome = run.call(&mut world.store, how);
        match how {
            0 | 1 => assert!(outcome.unwrap_err().is::<Trap>()),
            2 => assert!(format!("{:#}", outcome.unwrap_err()).contains("refused")),
            _ => outcome?,
        }
        world.store.gc();
        assert_eq!(world.census.live(), 1, "after {how}");
    }
    assert_eq!(id(&world.store, kept)?, 0);
    Ok(())
}
