"""The equations of computation graphs: the backward pass, what an operation sends."""

from functools import partial

import numpy as np
import torch

from snippets.checks import (
    Both,
    Family,
    Index,
    Quantity,
    autograd,
    check,
    differences,
    given,
    setting,
)

# A graph is its operations: for each vertex that is computed, by its number from 1, a
# function and the numbers of the vertices that are its arguments.
RUNNING_EXAMPLE = {
    3: (torch.mul, [1, 2]),
    4: (torch.add, [3, 1]),
    5: (torch.mul, [3, 4]),
}
FUNCTIONS = [(torch.add, 2), (torch.sub, 2), (torch.mul, 2), (torch.sin, 1)]


def random_graph(draw):
    """The number of leaves, and operations on vertices drawn before, even twice one."""
    m, size = draw.integer(2, 3), draw.integer(6, 7)
    graph = {}
    for i in range(m + 1, size + 1):
        function, count = FUNCTIONS[draw.integer(0, len(FUNCTIONS) - 1)]
        graph[i] = function, [draw.integer(1, i - 1) for _ in range(count)]
    return m, graph


def vertex(graph, i, *values):
    """The value of vertex i, from the values of the earlier ones."""
    function, arguments = graph[i]
    return function(*(values[j - 1] for j in arguments))


def completed(graph, *values):
    """The values of all vertices, from the values of the first ones."""
    found = list(values)
    for i in range(len(found) + 1, max(graph) + 1):
        found.append(vertex(graph, i, *found))
    return found


def loss_from(graph, i, *first):
    """The loss L_i: what comes of the values of the first i vertices."""
    if len(first) != i:
        raise TypeError(f"L_{i} is a function of {i} numbers")
    return completed(graph, *first)[-1]


def gradients(loss, vertices):
    """The gradient of the loss at each vertex, by autograd; 0 at one without a part."""
    return torch.autograd.grad(
        loss, vertices, retain_graph=True, allow_unused=True, materialize_grads=True
    )


def with_gradients(loss, **vertices):
    """The vertices, and under each name with a bar the gradient of the loss there."""
    bars = gradients(loss, list(vertices.values()))
    names = [rf"\bar {name}" for name in vertices]
    return {**vertices, **dict(zip(names, bars, strict=True))}


def edges(graph, values):
    """The edges: tail, head, and the slope of the head in this one argument."""
    for i, (function, arguments) in graph.items():
        at = [values[j - 1] for j in arguments]
        for place, j in enumerate(arguments):

            def of_one(a, function=function, at=at, place=place):
                return function(*at[:place], a, *at[place + 1 :])

            yield j, i, autograd(of_one, at[place])


# Settings


def running(u, v):
    """The running example from its leaves: values, and the gradients of the loss."""
    u, v, p, q, L = completed(RUNNING_EXAMPLE, u, v)
    return with_gradients(L, u=u, v=v, p=p, q=q, L=L)


def freed(connected):
    """The vertices of the running example as free variables, with the losses L_i."""
    losses = {
        f"L_{i}": Quantity(partial(loss_from, RUNNING_EXAMPLE, i), tuple("uvpq"[:i]))
        for i in (2, 3, 4)
    }
    free = {name: connected[name].detach().requires_grad_() for name in "uvpq"}
    return {**losses, **free, r"\bar p": connected[r"\bar p"]}


@setting("computation-graphs", "chain-rule-fan-out")
def running_example(draw):
    """The running example at any numbers."""
    return running(draw.normal(), draw.normal())


@setting("computation-graphs", example=True)
def running_example_at_2_3(draw):
    """The running example at u = 2, v = 3."""
    return running(*torch.tensor([2.0, 3.0]).double().requires_grad_())


@setting("chain-rule-fan-out")
def free_running_example(draw):
    """The running example with each vertex free."""
    return freed(running_example.function(draw))


@setting("chain-rule-fan-out", example=True)
def free_running_example_at_2_3(draw):
    """The same at u = 2, v = 3."""
    return freed(running_example_at_2_3.function(draw))


@setting("chain-rule-fan-out")
def doubling(draw):
    """Two additions, each of a value to itself."""
    a = draw.normal()
    b = a + a
    return {"a": a, "b": b, "c": b + b}


@setting("chain-rule-fan-out", "backward-argument")
def any_graph(draw):
    """A random graph; the gradients are autograd's, from one backward pass."""
    m, graph = random_graph(draw)
    v = completed(graph, *(draw.normal() for _ in range(m)))

    leaving = list(edges(graph, v))

    def edges_from(j):
        return [
            {"i": head, r"\text{derivative on the edge}": slope}
            for tail, head, slope in leaving
            if tail == j
        ]

    return {
        **{"m": m, "N": len(v), "i": Index(len(v) - m, m + 1), "j": Index(len(v) - 1)},
        **{"v": v, r"\bar v": gradients(v[-1], v), "L": v[-1], "graph": graph},
        r"\text{edges }j\to i": edges_from,
    }


@setting("chain-rule-fan-out")
def free_vertices(draw):
    """A random graph of which all vertices may vary, and its losses L_m to L_N."""
    m, graph = random_graph(draw)
    connected = completed(graph, *(draw.normal() for _ in range(m)))
    v = [value.detach().requires_grad_() for value in connected]
    size = len(v)
    loss, f = partial(loss_from, graph), partial(vertex, graph)
    losses = [loss(i, *v[:i]) for i in range(m, size + 1)]
    results = [f(i, *v[: i - 1]) for i in range(m + 1, size + 1)]
    return {
        **{"m": m, "N": size, "i": Index(size - m, m + 1), "j": Index(size), "v": v},
        **{"L": Both(Family(losses, m), loss), "f": Both(Family(results, m + 1), f)},
        r"\bar v": gradients(connected[-1], connected),
    }


@setting("chain-rule-fan-out")
def free_leaves(draw):
    """The same with j for leaves alone."""
    symbols = free_vertices.function(draw)
    kept = {name: symbols[name] for name in ("m", "v", r"\bar v", "L")}
    return {**kept, "j": Index(symbols["m"])}


@setting("computation-graphs", "vector-jacobian-product", "backward-argument")
def composed(draw):
    """A loss that depends on x through y = f(x) alone; J by forward mode."""
    n, m = draw.size(), draw.size()
    x, A, c = draw.normal(n), draw.normal(m, n).detach(), draw.normal(m).detach()

    def f(x):
        return torch.sin(A @ (x * x)) + A @ x

    def loss(y):
        return (c * torch.exp(y / 4)).sum()

    y = f(x)
    return {
        **{"n": n, "m": m, "i": Index(m), "j": Index(n), "f": f, "loss": loss},
        **with_gradients(loss(y), x=x, y=y),
        **{"J": torch.func.jacfwd(f)(x), r"\dd x": draw.normal(n)},
    }


def sent_back(draw, operation, **arguments):
    """The result of an operation, with what the arguments get from some loss of it."""
    y = operation(*arguments.values())
    loss = (draw.normal(*y.shape) * torch.sin(y)).sum()
    moves = {rf"\dd {name}": draw.normal(*a.shape) for name, a in arguments.items()}
    symbols = {**with_gradients(loss, y=y, **arguments), **moves}
    return {**symbols, "i": Index(len(y) if y.dim() else len(arguments["x"]))}


@setting("vector-jacobian-product")
def sum_of_two(draw):
    """y = x + z."""
    n = draw.size()
    return sent_back(draw, torch.add, x=draw.normal(n), z=draw.normal(n))


@setting("vector-jacobian-product")
def difference_of_two(draw):
    """y = x − z."""
    n = draw.size()
    return sent_back(draw, torch.sub, x=draw.normal(n), z=draw.normal(n))


@setting("vector-jacobian-product")
def product_by_entries(draw):
    """y = x ⊙ z."""
    n = draw.size()
    return sent_back(draw, torch.mul, x=draw.normal(n), z=draw.normal(n))


@setting("vector-jacobian-product")
def square_by_entries(draw):
    """y = x ⊙ x, with its Jacobian by forward mode."""
    symbols = sent_back(draw, torch.square, x=draw.normal(draw.size()))
    return {**symbols, "J": torch.func.jacfwd(torch.square)(symbols["x"])}


@setting("vector-jacobian-product")
def function_by_entries(draw):
    """A function of one number at each entry."""

    def phi(x):
        return torch.sin(x) + x**2

    return {**sent_back(draw, phi, x=draw.normal(draw.size())), r"\varphi": phi}


@setting("vector-jacobian-product")
def matrix_by_vector(draw):
    """y = Ax, with A as an argument too."""
    m, n = draw.size(), draw.size()
    symbols = sent_back(draw, torch.mv, A=draw.normal(m, n), x=draw.normal(n))
    return {**symbols, "m": m, "n": n, "j": Index(n)}


@setting("vector-jacobian-product")
def sum_of_entries(draw):
    """The sum of a vector, under the name s."""
    symbols = sent_back(draw, torch.sum, x=draw.normal(draw.size()))
    return {name.replace("y", "s"): value for name, value in symbols.items()}


@setting("vector-jacobian-product")
def broadcast(draw):
    """One number added to each entry, which PyTorch does by broadcasting."""
    symbols = sent_back(draw, torch.add, x=draw.normal(draw.size()), beta=draw.normal())
    return {name.replace("beta", r"\beta"): value for name, value in symbols.items()}


@setting("backward-argument", example=True)
def matrix_at_work(draw):
    """The matrix and the seed of the cell."""
    A = torch.arange(1.0, 7.0).double().reshape(2, 3)
    x = torch.tensor([1.0, 0.0, -1.0]).double()
    return {"A": A, "x": x, "y": A @ x, r"\bar y": torch.tensor([1.0, 10.0])}


@setting("backward-argument", example=True)
def broadcast_at_work(draw):
    """One number added to three."""
    beta, bar_y = torch.zeros(()).requires_grad_(), torch.tensor([1.0, 10.0, 100.0])
    (torch.zeros(3) + beta).backward(bar_y)
    return {r"\bar y": bar_y, r"\bar \beta": beta.grad}


@setting("in-place", example=True)
def cubes(draw):
    """The vector whose entries are cubed."""
    return {"z": torch.tensor([1.0, 2.0])}


def exponential_at(x, y):
    """The exponential of the exercise, vertex by vertex, with the gradients."""
    s = torch.mul(x, y)
    t = torch.exp(s)
    L = torch.mul(x, t)
    return with_gradients(L, x=x, y=y, s=s, t=t, L=L)


@setting("ex-computation-graphs-exponential")
def exponential(draw):
    """The exponential at any numbers."""
    return exponential_at(draw.normal(), draw.normal())


@setting("ex-computation-graphs-exponential", example=True)
def exponential_at_2_0(draw):
    """The same at x = 2, y = 0."""
    return exponential_at(*torch.tensor([2.0, 0.0]).double().requires_grad_())


def quadratic_form(M, x):
    """y = Mx and its product with x, with the gradients at x, M and y."""
    y = torch.mv(M, x)
    f = torch.dot(x, y)
    return with_gradients(f, M=M, x=x, y=y, f=f)


@setting("ex-computation-graphs-quadratic")
def any_quadratic_form(draw):
    """Any vector and any matrix."""
    n = draw.size()
    return {
        **quadratic_form(draw.normal(n, n), draw.normal(n)),
        **{"n": n, r"\dd x": draw.normal(n), r"\dd M": draw.normal(n, n)},
    }


@setting("ex-computation-graphs-quadratic")
def symmetric_quadratic_form(draw):
    """A symmetric matrix."""
    n = draw.size()
    M = draw.normal(n, n)
    symbols = quadratic_form(M + M.T, draw.normal(n))
    return {name: symbols[name] for name in ("M", "x", r"\bar x")}


@setting("ex-computation-graphs-quadratic", example=True)
def small_quadratic_form(draw):
    """The numbers of the exercise."""
    M = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).double().requires_grad_()
    x = torch.tensor([1.0, -1.0]).double().requires_grad_()
    return quadratic_form(M, x)


@setting("ex-computation-graphs-target")
def moving_target(draw):
    """A target computed from w."""
    w = draw.normal()
    t = w + w
    return {"w": w, "t": t, "L": torch.square(w - t)}


@setting("ex-computation-graphs-target")
def detached_target(draw):
    """A target computed from w, then detached."""
    w = draw.normal()
    t = (w + w).detach()
    return {"w": w, "t": t, "L": torch.square(w - t)}


@setting("ex-computation-graphs-target", example=True)
def target_at_3(draw):
    """The numbers of the exercise."""
    return {"w": 3, "t": 6}


@setting("ex-computation-graphs-descend")
def descent(draw):
    """Rounds of gradient descent from 0, with autograd's gradient."""
    w = [torch.zeros(()).double()]
    for _ in range(5):
        w.append(w[-1] - 0.1 * autograd(lambda w: (w - 3) ** 2, w[-1]))
    return {"w": Family(w, 0), "t": Index(5)}


@setting("ex-computation-graphs-descend")
def one_round(draw):
    """A place to start a round from."""
    return {"w": draw.normal()}


@setting("chain-rule-fan-out", example=True)
def sixty_doublings(draw):
    """The chain of the example."""
    return {"k": 60}


@setting("fig-computation-graphs-detach", example=True)
def half_detached(draw):
    """A number times its detached self."""
    w = torch.tensor(3.0, dtype=torch.float64)
    return {r"\bar w": autograd(lambda w: w * w.detach(), w)}


# Checks


@check("eq-computation-graphs-backward", any_graph)
def backward(v, m, graph):
    """The sum over edges, against all paths, against moving each vertex a little."""
    values = [value.detach() for value in v]
    leaving = list(edges(graph, values))

    def over_paths(j):
        """The product of the slopes along each path to the loss, and their sum."""
        if j == len(values):
            return 1.0
        return sum(slope * over_paths(i) for tail, i, slope in leaving if tail == j)

    def loss_from(j):
        """The loss as a function of vertex j; what is earlier stands still."""
        first = values[: max(j, m)]
        return lambda a: completed(graph, *first[: j - 1], a, *first[j:])[-1]

    before = range(1, len(values))
    moved = [differences(loss_from(j), values[j - 1]) for j in before]
    return {
        "all paths": [over_paths(len(values)), [float(over_paths(j)) for j in before]],
        "central differences": [1.0, [float(slope) for slope in moved]],
    }


@check("eq-computation-graphs-vjp", composed)
def vector_jacobian_product(x, f, loss, bar_y):
    """The gradient of the loss at x, without the Jacobian and with it."""
    whole = differences(lambda x: loss(f(x)), x)
    backward = autograd(lambda x: loss(f(x)), x)
    jacobian = [differences(lambda x, i=i: f(x)[i], x) for i in range(len(bar_y))]
    product = np.dot(bar_y.numpy(), torch.stack(jacobian).numpy())
    return {
        "autograd": [backward, backward],
        "central differences of the loss": [whole, whole],
        "NumPy, with a Jacobian by central differences": [product, product],
    }


given(
    *(r"i = N, N-1, \dots", "m = 1", "w = 0", "w = 2", "w = 3"),
    "z = (10, 20)",
)
