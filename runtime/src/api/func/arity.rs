//! The list of supported numbers of values, once: which names and positions they have in a tuple.

/// Calls the macro `$each` with a row per tuple of two to sixteen values: a name and a position for
/// each value.
macro_rules! several_values {
    ($each:ident) => {
        $each! {
            A 0 B 1;
            A 0 B 1 C 2;
            A 0 B 1 C 2 D 3;
            A 0 B 1 C 2 D 3 E 4;
            A 0 B 1 C 2 D 3 E 4 F 5;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14;
            A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11 M 12 N 13 O 14 P 15;
        }
    };
}

/// As `several_values`, from the empty tuple on.
macro_rules! any_values {
    ($each:ident) => {
        $each! {
            ;
            A 0;
        }
        $crate::api::func::arity::several_values!($each);
    };
}

/// Calls the macro `$each` with a row per tuple of none to sixteen pairs: names for both parts and a
/// position for each pair.
macro_rules! pairs_of_values {
    ($each:ident) => {
        $each! {
            ;
            A0 A1 0;
            A0 A1 0 B0 B1 1;
            A0 A1 0 B0 B1 1 C0 C1 2;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10 L0 L1 11;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10 L0 L1 11 M0 M1 12;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10 L0 L1 11 M0 M1 12 N0 N1 13;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10 L0 L1 11 M0 M1 12 N0 N1 13 O0 O1 14;
            A0 A1 0 B0 B1 1 C0 C1 2 D0 D1 3 E0 E1 4 F0 F1 5 G0 G1 6 H0 H1 7 I0 I1 8 J0 J1 9
                K0 K1 10 L0 L1 11 M0 M1 12 N0 N1 13 O0 O1 14 P0 P1 15;
        }
    };
}

pub(crate) use {any_values, pairs_of_values, several_values};
