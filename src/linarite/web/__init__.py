"""The network side: translates HTTP into calls and answers into HTTP. Decides nothing, knows no tables."""
