"""The RPC protocol of oRPC over the procedures of this API."""
