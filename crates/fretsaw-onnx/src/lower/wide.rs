//! Arithmetic on f64 values of the graph, written as arithmetic: what the steps behind the first new
//! one are made of.
//!
//! A [`Value`] is the name of a tensor and the builder that it is in; every operation adds a node.
//! Values are rows x columns unless said otherwise, and constants broadcast. No types are checked
//! here: truth values and whole numbers are values too, and what each operation takes is said with it.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::graph::{Builder, attribute};
use crate::proto::tensor_proto::DataType;
use crate::proto::{AttributeProto, GraphProto, TensorProto};
use crate::tensor::{from_f64s, from_i64s};

/// A tensor in the graph.
#[derive(Clone)]
pub(crate) struct Value<'b> {
    b: &'b Builder,
    name: String,
}

/// What an operation takes beside a value: another value, or a constant.
pub(crate) trait Operand {
    /// The name in the graph.
    fn name(&self, b: &Builder) -> String;
}

impl Operand for &Value<'_> {
    fn name(&self, _: &Builder) -> String {
        self.name.clone()
    }
}

impl Operand for Value<'_> {
    fn name(&self, _: &Builder) -> String {
        self.name.clone()
    }
}

impl Operand for f64 {
    fn name(&self, b: &Builder) -> String {
        b.constant(from_f64s("", &[], [*self]))
    }
}

/// One constant a column.
impl Operand for &[f64] {
    fn name(&self, b: &Builder) -> String {
        b.constant(from_f64s("", &[1, self.len()], self.iter().copied()))
    }
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident $op:literal),*) => {$(
        impl<'b, O: Operand> $trait<O> for &Value<'b> {
            type Output = Value<'b>;

            fn $method(self, other: O) -> Value<'b> {
                self.with($op, other)
            }
        }

        impl<'b, O: Operand> $trait<O> for Value<'b> {
            type Output = Value<'b>;

            fn $method(self, other: O) -> Value<'b> {
                self.with($op, other)
            }
        }
    )*};
}
arithmetic!(Add add "Add", Sub sub "Sub", Mul mul "Mul", Div div "Div");

impl<'b> Neg for &Value<'b> {
    type Output = Value<'b>;

    fn neg(self) -> Value<'b> {
        self.unary("Neg")
    }
}

impl<'b> Neg for Value<'b> {
    type Output = Value<'b>;

    fn neg(self) -> Value<'b> {
        self.unary("Neg")
    }
}

impl<'b> Value<'b> {
    /// The value of this name.
    pub(crate) fn new(b: &'b Builder, name: impl Into<String>) -> Self {
        Self {
            b,
            name: name.into(),
        }
    }

    /// A constant.
    pub(crate) fn constant(b: &'b Builder, tensor: TensorProto) -> Self {
        Self::new(b, b.constant(tensor))
    }

    /// A constant of these dimensions.
    pub(crate) fn doubles(b: &'b Builder, dims: &[usize], values: &[f64]) -> Self {
        Self::constant(b, from_f64s("", dims, values.iter().copied()))
    }

    /// Whole numbers of these dimensions.
    pub(crate) fn ints(
        b: &'b Builder,
        dims: &[usize],
        values: impl IntoIterator<Item = i64>,
    ) -> Self {
        Self::constant(b, from_i64s("", dims, values))
    }

    /// Its name in the graph.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The builder that it is in.
    pub(crate) fn builder(&self) -> &'b Builder {
        self.b
    }

    /// An operator of one input.
    pub(crate) fn unary(&self, op: &str) -> Self {
        Self::new(self.b, self.b.op(op, &[&self.name], vec![]))
    }

    /// An operator of two inputs.
    pub(crate) fn with(&self, op: &str, other: impl Operand) -> Self {
        let other = other.name(self.b);
        Self::new(self.b, self.b.op(op, &[&self.name, &other], vec![]))
    }

    /// An operator of several inputs.
    pub(crate) fn of(op: &str, inputs: &[&Self]) -> Self {
        let names: Vec<&str> = inputs.iter().map(|v| v.name.as_str()).collect();
        let b = inputs[0].b;
        Self::new(b, b.op(op, &names, vec![]))
    }

    pub(crate) fn exp(&self) -> Self {
        self.unary("Exp")
    }

    pub(crate) fn ln(&self) -> Self {
        self.unary("Log")
    }

    pub(crate) fn sqrt(&self) -> Self {
        self.unary("Sqrt")
    }

    pub(crate) fn abs(&self) -> Self {
        self.unary("Abs")
    }

    pub(crate) fn square(&self) -> Self {
        self * self
    }

    pub(crate) fn pow(&self, exponent: impl Operand) -> Self {
        self.with("Pow", exponent)
    }

    /// Truth values.
    pub(crate) fn is_nan(&self) -> Self {
        self.unary("IsNaN")
    }

    /// Truth values.
    pub(crate) fn less(&self, other: impl Operand) -> Self {
        self.with("Less", other)
    }

    /// Truth values.
    pub(crate) fn at_least(&self, other: impl Operand) -> Self {
        self.with("GreaterOrEqual", other)
    }

    /// Truth values.
    pub(crate) fn above(&self, other: impl Operand) -> Self {
        self.with("Greater", other)
    }

    /// Truth values.
    pub(crate) fn equals(&self, other: impl Operand) -> Self {
        self.with("Equal", other)
    }

    /// Of truth values: `yes` where they hold, else `no`.
    pub(crate) fn choose(&self, yes: impl Operand, no: impl Operand) -> Self {
        let (yes, no) = (yes.name(self.b), no.name(self.b));
        Self::new(self.b, self.b.op("Where", &[&self.name, &yes, &no], vec![]))
    }

    fn cast(&self, to: DataType) -> Self {
        let to = vec![attribute("to", to as i64)];
        Self::new(self.b, self.b.op("Cast", &[&self.name], to))
    }

    /// As f64: truth values become 0 and 1.
    pub(crate) fn double(&self) -> Self {
        self.cast(DataType::Double)
    }

    /// As f32, to the nearest.
    pub(crate) fn single(&self) -> Self {
        self.cast(DataType::Float)
    }

    /// As int64, towards zero.
    pub(crate) fn int(&self) -> Self {
        self.cast(DataType::Int64)
    }

    /// The columns at these places.
    pub(crate) fn columns(&self, columns: impl IntoIterator<Item = i64>) -> Self {
        let columns: Vec<i64> = columns.into_iter().collect();
        let which = Self::ints(self.b, &[columns.len()], columns);
        self.gather(&which, 1)
    }

    /// What stands at the places `which` of the axis.
    pub(crate) fn gather(&self, which: &Self, axis: i64) -> Self {
        let inputs = [self.name.as_str(), which.name.as_str()];
        let axis = vec![attribute("axis", axis)];
        Self::new(self.b, self.b.op("Gather", &inputs, axis))
    }

    /// Of each row, what stands at the places that `which` has for it.
    pub(crate) fn gather_in_rows(&self, which: &Self) -> Self {
        let inputs = [self.name.as_str(), which.name.as_str()];
        let axis = vec![attribute("axis", 1_i64)];
        Self::new(self.b, self.b.op("GatherElements", &inputs, axis))
    }

    /// The last column; of more than two dimensions, the last of the second.
    pub(crate) fn last(&self) -> Self {
        self.gather(&Self::ints(self.b, &[1], [-1]), 1)
    }

    /// Side by side.
    pub(crate) fn concat(parts: &[Self]) -> Self {
        if let [one] = parts {
            return one.clone();
        }
        let names: Vec<&str> = parts.iter().map(|v| v.name.as_str()).collect();
        let b = parts[0].b;
        Self::new(b, b.op("Concat", &names, vec![attribute("axis", 1_i64)]))
    }

    /// Each column plus those before it, added from the left.
    pub(crate) fn running_sum(&self) -> Self {
        let axis = self.b.constant(from_i64s("", &[], [1]));
        Self::new(self.b, self.b.op("CumSum", &[&self.name, &axis], vec![]))
    }

    /// The sum of the columns, added from the left: one column. (ONNX's `ReduceSum` adds in an order
    /// of its own.)
    pub(crate) fn sum(&self) -> Self {
        self.running_sum().last()
    }

    /// The largest of the columns: one column.
    pub(crate) fn max(&self) -> Self {
        // The axes became an input.
        let output = if self.b.opset < 18 {
            let axes = vec![attribute("axes", vec![1_i64])];
            self.b.op("ReduceMax", &[&self.name], axes)
        } else {
            let axes = self.b.constant(from_i64s("", &[1], [1]));
            self.b.op("ReduceMax", &[&self.name, &axes], vec![])
        };
        Self::new(self.b, output)
    }

    /// The place of the largest of `width` columns, the first of equals: one column of whole numbers.
    /// As in the reference, NaN is the largest in the first place and the smallest elsewhere.
    pub(crate) fn argmax(&self, width: usize) -> Self {
        self.largest(width, vec![attribute("axis", 1_i64)])
    }

    /// The same, but the last of equals.
    pub(crate) fn last_argmax(&self, width: usize) -> Self {
        let last = attribute("select_last_index", 1_i64);
        self.largest(width, vec![attribute("axis", 1_i64), last])
    }

    fn largest(&self, width: usize, attributes: Vec<AttributeProto>) -> Self {
        let mut stand_ins = vec![f64::NEG_INFINITY; width];
        stand_ins[0] = f64::INFINITY;
        let ordered = self.is_nan().choose(&stand_ins[..], self);
        Self::new(self.b, self.b.op("ArgMax", &[&ordered.name], attributes))
    }

    /// The `k` smallest columns and their places, ascending, the first of equals first; NaN counts
    /// as infinite.
    pub(crate) fn smallest(&self, k: usize) -> (Self, Self) {
        let key = self.is_nan().choose(f64::INFINITY, self);
        let k = self.b.constant(from_i64s("", &[1], [k as i64]));
        let outputs = [self.b.fresh("smallest"), self.b.fresh("places")];
        let attributes = vec![attribute("axis", 1_i64), attribute("largest", 0_i64)];
        self.b
            .node("", "TopK", &[&key.name, &k], &outputs, attributes);
        let [values, places] = outputs;
        (Self::new(self.b, values), Self::new(self.b, places))
    }

    /// The matrix product.
    pub(crate) fn matmul(&self, other: &Self) -> Self {
        self.with("MatMul", other)
    }

    /// With a dimension of 1 put in.
    pub(crate) fn unsqueeze(&self, axis: i64) -> Self {
        let axis = Self::ints(self.b, &[1], [axis]);
        self.with("Unsqueeze", &axis)
    }

    /// Without a dimension of 1.
    pub(crate) fn squeeze(&self, axis: i64) -> Self {
        let axis = Self::ints(self.b, &[1], [axis]);
        self.with("Squeeze", &axis)
    }

    /// Laid out anew; -1 is what is left.
    pub(crate) fn reshape(&self, dims: &[i64]) -> Self {
        let dims = Self::ints(self.b, &[dims.len()], dims.iter().copied());
        self.with("Reshape", &dims)
    }

    /// As many rows of `width` zeros as this value has rows.
    pub(crate) fn zeros(&self, width: usize) -> Self {
        let shape = self.unary("Shape");
        let n_rows = shape.gather(&Self::ints(self.b, &[1], [0]), 0);
        let width = Self::ints(self.b, &[1], [width as i64]);
        let inputs = [n_rows.name.as_str(), width.name.as_str()];
        let shape = self.b.op("Concat", &inputs, vec![attribute("axis", 0_i64)]);
        let zero = vec![attribute("value", from_f64s("", &[1], [0.0]))];
        Self::new(self.b, self.b.op("ConstantOfShape", &[&shape], zero))
    }

    /// An operator that holds a graph: `Scan` or `Loop`.
    pub(crate) fn control<const N: usize>(
        op: &str,
        inputs: &[&str],
        body: GraphProto,
        b: &'b Builder,
        mut attributes: Vec<AttributeProto>,
    ) -> [Self; N] {
        let outputs: Vec<String> = (0..N).map(|_| b.fresh(op)).collect();
        attributes.push(attribute("body", body));
        b.node("", op, inputs, &outputs, attributes);
        std::array::from_fn(|i| Self::new(b, outputs[i].clone()))
    }
}
