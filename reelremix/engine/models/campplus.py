"""The network CAM++ as an ONNX graph, made from its published PyTorch weights.

Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using Context-Aware
Masking", Interspeech 2023; layers and names as in 3D-Speaker
(https://github.com/modelscope/3D-Speaker, Apache-2.0). A batch normalisation right behind a
convolution is multiplied into it.

The context of a frame is the mean of the whole window plus the mean of the two seconds it lies in.
Windows here are at most two seconds long, so both are the same and the context is twice the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from reelremix.engine.models.torch_checkpoint import Tensors

FEATURES = 80
"""Mel bands a frame."""
MAX_FRAMES = 200
"""Two seconds; see above."""
BLOCKS = ((12, 1), (24, 2), (16, 2))
"""(layers, dilation) of the three densely connected blocks."""
NORM_EPSILON = 1e-5
OPSET = 17
IR_VERSION = 8

Array = npt.NDArray[Any]


def campplus_graph(tensors: Tensors, frames: int) -> bytes:
    """The serialised graph: `features` (n, frames, 80) in, `embedding` (n, dimensions) out.

    Args:
        tensors: the published state dict.
        frames: how many frames every window has, at most `MAX_FRAMES`.

    Raises:
        KeyError: a tensor is missing.
    """
    if not 2 < frames <= MAX_FRAMES:
        raise ValueError(f"windows of {frames} frames; 3 to {MAX_FRAMES} are possible")
    graph = _Graph(tensors)
    x = graph.add("Transpose", "features", perm=[0, 2, 1])
    x = graph.add("Unsqueeze", x, graph.constant(np.array([1])))
    x = _front(graph, x)
    x = graph.normed_conv(
        "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", x, strides=[2], pads=[2, 2]
    )
    x = graph.add("Relu", x)
    for number, (layers, dilation) in enumerate(BLOCKS, start=1):
        for layer in range(1, layers + 1):
            new = _dense_layer(graph, f"xvector.block{number}.tdnnd{layer}", x, dilation)
            x = graph.add("Concat", x, new, axis=1)
        x = graph.norm(f"xvector.transit{number}.nonlinear.batchnorm", x)
        x = graph.conv(f"xvector.transit{number}.linear", graph.add("Relu", x))
    x = graph.add("Relu", graph.norm("xvector.out_nonlinear.batchnorm", x))
    x = _statistics(graph, x, (frames + 1) // 2)
    x = graph.normed_conv("xvector.dense.linear", "xvector.dense.nonlinear.batchnorm", x)
    graph.add("Flatten", x, output="embedding")
    return graph.serialised(frames)


def _front(graph: _Graph, x: str) -> str:
    """Two-dimensional convolutions over time and frequency, then frequencies become channels."""
    x = graph.add("Relu", graph.normed_conv("head.conv1", "head.bn1", x, pads=[1, 1, 1, 1]))
    for layer in ("head.layer1", "head.layer2"):
        x = _residual(graph, f"{layer}.0", x, stride=2)
        x = _residual(graph, f"{layer}.1", x, stride=1)
    x = graph.normed_conv("head.conv2", "head.bn2", x, strides=[2, 1], pads=[1, 1, 1, 1])
    x = graph.add("Relu", x)
    width = FEATURES // 8 * graph.tensors["head.conv2.weight"].shape[0]
    return graph.add("Reshape", x, graph.constant(np.array([0, width, -1])))


def _residual(graph: _Graph, name: str, x: str, *, stride: int) -> str:
    strides, pads = [stride, 1], [1, 1, 1, 1]
    y = graph.normed_conv(f"{name}.conv1", f"{name}.bn1", x, strides=strides, pads=pads)
    y = graph.normed_conv(f"{name}.conv2", f"{name}.bn2", graph.add("Relu", y), pads=pads)
    if stride > 1:
        x = graph.normed_conv(f"{name}.shortcut.0", f"{name}.shortcut.1", x, strides=strides)
    return graph.add("Relu", graph.add("Add", y, x))


def _dense_layer(graph: _Graph, name: str, x: str, dilation: int) -> str:
    """One layer of a block, its result weighted by what the whole window sounds like."""
    x = graph.add("Relu", graph.norm(f"{name}.nonlinear1.batchnorm", x))
    x = graph.normed_conv(f"{name}.linear1", f"{name}.nonlinear2.batchnorm", x)
    x = graph.add("Relu", x)
    local = graph.conv(
        f"{name}.cam_layer.linear_local", x, dilations=[dilation], pads=[dilation, dilation]
    )
    mean = graph.add("GlobalAveragePool", x)
    context = graph.conv(f"{name}.cam_layer.linear1", graph.add("Add", mean, mean))
    mask = graph.conv(f"{name}.cam_layer.linear2", graph.add("Relu", context))
    return graph.add("Mul", local, graph.add("Sigmoid", mask))


def _statistics(graph: _Graph, x: str, frames: int) -> str:
    """Mean and sample standard deviation over time."""
    mean = graph.add("GlobalAveragePool", x)
    off = graph.add("Sub", x, mean)
    variance = graph.add("GlobalAveragePool", graph.add("Mul", off, off))
    unbiased = graph.constant(np.array(frames / (frames - 1), np.float32))
    deviation = graph.add("Sqrt", graph.add("Mul", variance, unbiased))
    return graph.add("Concat", mean, deviation, axis=1)


class _Graph:
    """Nodes and weights while they come together; values are known by name."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors = tensors
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        """A node; the name of its result."""
        output = output or f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [output], **attributes))
        return output

    def constant(self, value: Array) -> str:
        """A weight; its name."""
        name = f"w{len(self._weights)}"
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def conv(self, name: str, x: str, **attributes: Any) -> str:
        """A convolution as it is."""
        weights = [self.constant(self.tensors[f"{name}.weight"])]
        if f"{name}.bias" in self.tensors:
            weights.append(self.constant(self.tensors[f"{name}.bias"]))
        return self.add("Conv", x, *weights, **attributes)

    def normed_conv(self, name: str, norm: str, x: str, **attributes: Any) -> str:
        """A convolution without bias and the batch normalisation behind it, as one."""
        scale, shift = self._scale_and_shift(norm)
        weight = self.tensors[f"{name}.weight"]
        scaled = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
        return self.add("Conv", x, self.constant(scaled), self.constant(shift), **attributes)

    def norm(self, name: str, x: str) -> str:
        """A batch normalisation by itself."""
        scale, shift = self._scale_and_shift(name)
        x = self.add("Mul", x, self.constant(scale[:, None]))
        return self.add("Add", x, self.constant(shift[:, None]))

    def _scale_and_shift(self, name: str) -> tuple[Array, Array]:
        deviation = np.sqrt(self.tensors[f"{name}.running_var"] + np.float32(NORM_EPSILON))
        scale = self.tensors.get(f"{name}.weight", np.float32(1)) / deviation
        offset = self.tensors.get(f"{name}.bias", np.float32(0))
        return scale, offset - self.tensors[f"{name}.running_mean"] * scale

    def serialised(self, frames: int) -> bytes:
        kind = TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "campplus",
            [helper.make_tensor_value_info("features", kind, ["n", frames, FEATURES])],
            [helper.make_tensor_value_info("embedding", kind, ["n", "dimensions"])],
            self._weights,
        )
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=IR_VERSION)
        return bytes(model.SerializeToString())
