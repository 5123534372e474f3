//! Which tuples are inputs, outputs, and can be taken to pieces.

/// Calls a macro with the parts of every tuple from two to twelve: a name for the part's type, and its place.
macro_rules! each_tuple {
    ($each:ident) => {
        $each!(A 0, B 1);
        $each!(A 0, B 1, C 2);
        $each!(A 0, B 1, C 2, D 3);
        $each!(A 0, B 1, C 2, D 3, E 4);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10);
        $each!(A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11);
    };
}
pub(crate) use each_tuple;
