//! Makes known values a part of the tasks that read them.
//!
//! # Result
//! The tasks, without the known values; one that is itself an output stays.
//!
//! # Cost
//! One look at every dependency.

use crate::graph::{Kind, Parts};

pub(super) fn inline(parts: Parts) -> Parts {
    let mut stays: Vec<bool> = parts
        .infos
        .iter()
        .map(|info| info.kind == Kind::Task)
        .collect();
    for output in &parts.outputs {
        stays[output.id.index()] = true;
    }
    parts.retain(|node| stays[node])
}

#[cfg(test)]
mod tests {
    use crate::{Graph, Passes, apply, delayed, value};

    #[test]
    fn a_known_value_goes_unless_it_is_wanted() {
        let weights = value(2.0).named("weights");
        let regrid =
            apply((&delayed(|| 1.0).named("read"), &weights), |(x, w)| x * w).named("regrid");
        let passes = Passes::NONE.inline(true);
        assert_eq!(Graph::of(&regrid).optimize(passes).len(), 2);
        assert_eq!(Graph::of((&regrid, &weights)).optimize(passes).len(), 3);
    }
}
