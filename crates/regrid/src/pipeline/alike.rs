//! Fields that are alike in all that a plan depends on share one: planning a plane whose weights go from cell to cell takes as long
//! as some regridding, and where its sources are takes half as much memory as the weights.

use std::ops::Range;
use std::sync::Arc;

use super::layout::{Order, Plan};
use super::parts::OpenPart;
use crate::catalogue::{Role, SourceVariable};
use crate::scheme::PlaneWeights;
use crate::time::ChosenTimes;

/// All that the plan of a field depends on, but for what is the same for all fields of a request.
#[derive(Debug)]
pub(super) struct Likeness {
    pub(super) order: Order,
    roles: Vec<Role>,
    /// Columns of the source, without one that is there twice.
    columns: Option<usize>,
    /// Storage chunks along each dimension, in the order in which a window is computed.
    pub(super) storage: Arc<Vec<Vec<Range<usize>>>>,
    /// Where each file's part ends.
    ends: Vec<usize>,
    /// Bytes of a value as it is stored, and of one of the result.
    bytes: [usize; 2],
    target: Vec<usize>,
    times: Option<Arc<ChosenTimes>>,
    /// Weights are held, so that no others can come to lie where they are.
    weights: Arc<PlaneWeights>,
    also: Option<Arc<PlaneWeights>>,
}

impl Likeness {
    /// That of a variable onto targets of a shape, whose result has values of so many bytes.
    pub(super) fn new(
        variable: &SourceVariable,
        parts: &[OpenPart],
        order: Order,
        (weights, also): (&Arc<PlaneWeights>, Option<&Arc<PlaneWeights>>),
        times: Option<&Arc<ChosenTimes>>,
        target: &[usize],
        cell_bytes: usize,
    ) -> Self {
        Self {
            roles: variable.dimensions.iter().map(|d| d.role).collect(),
            columns: variable.grid.axes().map(|(_, x)| x.distinct()),
            storage: Arc::new(order.storage(variable, parts)),
            ends: parts.iter().map(|p| p.part.start + p.part.len).collect(),
            bytes: [variable.meta.data_type.size(), cell_bytes],
            target: target.to_vec(),
            times: times.cloned(),
            weights: weights.clone(),
            also: also.cloned(),
            order,
        }
    }
}

impl PartialEq for Likeness {
    fn eq(&self, other: &Self) -> bool {
        let same = |a: &Option<Arc<PlaneWeights>>, b: &Option<Arc<PlaneWeights>>| match (a, b) {
            (Some(a), Some(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        Arc::ptr_eq(&self.weights, &other.weights)
            && same(&self.also, &other.also)
            && (&self.order, &self.roles, self.columns, self.bytes)
                == (&other.order, &other.roles, other.columns, other.bytes)
            && (&self.target, &self.ends) == (&other.target, &other.ends)
            && (&self.storage, &self.times) == (&other.storage, &other.times)
    }
}

/// The plan of a field, and that of the comparison with its source, if there is one.
#[derive(Clone)]
pub(super) struct Planned {
    pub(super) plan: Arc<Plan>,
    pub(super) compared: Option<Arc<Plan>>,
}

/// The plans of a request's fields so far.
pub(crate) struct Plans {
    /// How many fields there will be.
    pub(super) fields: usize,
    made: Vec<(Likeness, Planned)>,
}

impl Plans {
    /// None yet, of so many fields.
    pub(crate) fn new(fields: usize) -> Self {
        Self {
            fields,
            made: Vec::new(),
        }
    }

    /// The plan of a field that is like this: that of an earlier one, or a new one.
    pub(super) fn of(
        &mut self,
        like: Likeness,
        make: impl FnOnce(&Likeness) -> Planned,
    ) -> Planned {
        if let Some((_, planned)) = self.made.iter().find(|(other, _)| *other == like) {
            return planned.clone();
        }
        let planned = make(&like);
        self.made.push((like, planned.clone()));
        planned
    }
}
