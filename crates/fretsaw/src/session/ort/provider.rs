//! Execution providers: which ones the loaded library has, and whether they work here.
//!
//! ONNX Runtime drops a provider that fails to register and runs on the CPU without a word, so
//! here a registration always fails loudly, and "compiled in" is kept apart from "usable". Nothing
//! here chooses a provider.

use std::fmt;

use ::ort::ep::{self, ExecutionProvider, ExecutionProviderDispatch};
use ::ort::logging::LogLevel;
use ::ort::session::Session;
use ::ort::session::builder::SessionBuilder;
use ::ort::value::TensorRef;

use super::{Runtime, one_line};

/// Where ONNX Runtime runs a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// The processor; always there.
    #[default]
    Cpu,
    /// NVIDIA GPUs.
    Cuda,
    /// NVIDIA GPUs, by TensorRT.
    TensorRt,
    /// AMD GPUs, by ROCm (dropped from ONNX Runtime 1.23 on).
    Rocm,
    /// AMD GPUs, by MIGraphX.
    MiGraphX,
    /// Intel processors, GPUs and NPUs.
    OpenVino,
    /// Windows' GPUs.
    DirectMl,
    /// Apple's processors.
    CoreMl,
    /// Models called over the network.
    Azure,
}

/// The names that ONNX Runtime gives them, in the order of [`Provider`].
const NAMES: [&str; 9] = [
    "CPUExecutionProvider",
    "CUDAExecutionProvider",
    "TensorrtExecutionProvider",
    "ROCMExecutionProvider",
    "MIGraphXExecutionProvider",
    "OpenVINOExecutionProvider",
    "DmlExecutionProvider",
    "CoreMLExecutionProvider",
    "AzureExecutionProvider",
];

impl Provider {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Cpu,
        Self::Cuda,
        Self::TensorRt,
        Self::Rocm,
        Self::MiGraphX,
        Self::OpenVino,
        Self::DirectMl,
        Self::CoreMl,
        Self::Azure,
    ];

    /// Its name, as [`Provider::parse`] reads it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Cuda => "CUDA",
            Self::TensorRt => "TensorRT",
            Self::Rocm => "ROCm",
            Self::MiGraphX => "MIGraphX",
            Self::OpenVino => "OpenVINO",
            Self::DirectMl => "DirectML",
            Self::CoreMl => "CoreML",
            Self::Azure => "Azure",
        }
    }

    /// The provider of this name, in any case; ONNX Runtime's own long names will do too.
    pub fn parse(name: &str) -> Option<Self> {
        let is = |p: &Self| {
            name.eq_ignore_ascii_case(p.name()) || name.eq_ignore_ascii_case(p.onnxruntime_name())
        };
        Self::ALL.into_iter().find(is)
    }

    /// The name that ONNX Runtime gives it, such as `CUDAExecutionProvider`.
    pub fn onnxruntime_name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// Whether the library was compiled with it. Whether it works is another question:
    /// [`Provider::probe`].
    pub fn is_compiled_in(self, _loaded: &Runtime) -> bool {
        let answer = match self {
            Self::Cpu => Named::<0>::is_available(),
            Self::Cuda => Named::<1>::is_available(),
            Self::TensorRt => Named::<2>::is_available(),
            Self::Rocm => Named::<3>::is_available(),
            Self::MiGraphX => Named::<4>::is_available(),
            Self::OpenVino => Named::<5>::is_available(),
            Self::DirectMl => Named::<6>::is_available(),
            Self::CoreMl => Named::<7>::is_available(),
            Self::Azure => Named::<8>::is_available(),
        };
        answer.unwrap_or(false)
    }

    /// Registers it and runs a model of one addition on it, and on nothing else.
    ///
    /// # Errors
    /// In one line, why it cannot be used.
    pub fn probe(self, runtime: &Runtime) -> Result<(), String> {
        let failed = |e: ::ort::Error| one_line(e.message());
        let prepare = || -> ::ort::Result<SessionBuilder> {
            let builder = Session::builder(runtime.environment())?
                .with_intra_threads(1)?
                .with_log_level(LogLevel::Fatal)?;
            // Else a provider that takes no node would pass for usable.
            Ok(if self == Self::Cpu {
                builder
            } else {
                builder.with_disable_cpu_fallback()?
            })
        };
        let mut builder = self.register(runtime, prepare().map_err(failed)?)?;
        let mut session = builder
            .commit_from_memory(ADDITION)
            .map_err(|e| format!("it cannot run an addition: {}", failed(e)))?;
        let one = TensorRef::from_array_view(([1_usize], &[1.0_f32][..])).map_err(failed)?;
        let outputs = session.run([one.into()]).map_err(failed)?;
        match outputs[0].try_extract_tensor::<f32>().map_err(failed)?.1 {
            [2.0] => Ok(()),
            wrong => Err(format!("1 + 1 came out as {wrong:?}")),
        }
    }

    /// Registers it with a session to be, or fails.
    pub(super) fn register(
        self,
        runtime: &Runtime,
        builder: SessionBuilder,
    ) -> Result<SessionBuilder, String> {
        let Some(dispatch) = self.dispatch() else {
            return Ok(builder);
        };
        if !self.is_compiled_in(runtime) {
            return Err(format!(
                "ONNX Runtime {} was built without it",
                runtime.version()
            ));
        }
        let registered = builder.with_execution_providers([dispatch.error_on_failure()]);
        registered.map_err(|e| one_line(e.message()))
    }

    /// With the library's own default options; the CPU needs no registration.
    fn dispatch(self) -> Option<ExecutionProviderDispatch> {
        Some(match self {
            Self::Cpu => return None,
            Self::Cuda => ep::CUDA::default().build(),
            Self::TensorRt => ep::TensorRT::default().build(),
            Self::Rocm => ep::ROCm::default().build(),
            Self::MiGraphX => ep::MIGraphX::default().build(),
            Self::OpenVino => ep::OpenVINO::default().build(),
            Self::DirectMl => ep::DirectML::default().build(),
            Self::CoreMl => ep::CoreML::default().build(),
            Self::Azure => ep::Azure::default().build(),
        })
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Asks the library for a provider by name only.
struct Named<const AT: usize>;

impl<const AT: usize> ExecutionProvider for Named<AT> {
    const NAME: &'static str = NAMES[AT];

    fn register(&self, _: &mut SessionBuilder) -> ::ort::Result<()> {
        Err(::ort::Error::new("it is only asked for, never registered"))
    }
}

/// An ONNX file: `y[1] = x[1] + x[1]` in f32, opset 13, IR 8.
const ADDITION: &[u8] = b"\x08\x08\
    \x3a\x35\
        \x0a\x0e\x0a\x01x\x0a\x01x\x12\x01y\x22\x03Add\
        \x12\x01p\
        \x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01\
        \x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01\
    \x42\x02\x10\x0d";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for (at, provider) in Provider::ALL.into_iter().enumerate() {
            assert_eq!(provider as usize, at);
            assert_eq!(
                Provider::parse(&provider.name().to_lowercase()),
                Some(provider)
            );
            assert_eq!(Provider::parse(provider.onnxruntime_name()), Some(provider));
        }
        assert_eq!(Provider::parse("GPU"), None);
    }
}
