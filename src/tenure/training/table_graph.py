"""A table of values as a graph: features are compared with the edges of cells, the cell's row is the answer."""

from __future__ import annotations

import torch
from torch import nn

from tenure.training.tabular import QTable


class TableGraph(nn.Module):
    """Raw observations to one value per action, as `QTable.answers` has them; [n, features] gives [n, actions]."""

    values: torch.Tensor

    def __init__(self, table: QTable) -> None:
        super().__init__()
        self.sizes = table.cells.sizes
        for column, edges in enumerate(table.cells.edges):
            self.register_buffer(f"edges_{column}", torch.as_tensor(edges, dtype=torch.float32))
        self.register_buffer("values", torch.as_tensor(table.answers(), dtype=torch.float32))

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """The row of each observation's cell."""
        number = torch.zeros_like(observation[:, 0], dtype=torch.int64)
        for column, size in enumerate(self.sizes):
            if size > 1:
                reached = observation[:, column : column + 1] >= getattr(self, f"edges_{column}")
                number = number * size + reached.sum(dim=1)
        return self.values[number]
